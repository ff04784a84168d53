"""A profile: its steps are those of a run, its phases add up, its file is one that a viewer of traces opens."""

import cProfile
import dataclasses
import json
import os
import re
import subprocess
import sys
import threading
import time

import golden
import numpy as np
import profiled
import pytest
import uncompiled

import biosnn as bs
from biosnn import _cache
from biosnn.backends import meeting
from biosnn.profiling import limits_cpu, watching
from biosnn.profiling.laps import Laps
from biosnn.profiling.phases import FIRST, MOST_LOGGED, NAMES

WAYS = {
    "rows, spikes wait": {"threads": 1, "synapse_backend": "event_driven", "ring_strategy": "spike_history"},
    "rows, sums wait, two threads": {"threads": 2, "synapse_backend": "event_driven", "ring_strategy": "dense"},
    "product": {"threads": 1, "synapse_backend": "spmm_fused", "fused_layout": "csr"},
    "auto, events wait": {"threads": 1, "synapse_backend": "auto", "ring_strategy": "event_bucketed"},
}


def sim_of(way="rows, spikes wait", activity=0.02, **how):
    return profiled.firing(activity, **how).build(**WAYS[way])


@pytest.fixture(scope="module")
def sums():
    """A profile of two threads, of a network that was watched while it was built; its simulation."""
    with watching():
        sim = sim_of("rows, sums wait, two threads", n=20_000)
    sim.run(50.0)
    return sim, sim.profile(200)


# What a driver without clocks is, test_drivers.py fixes to the byte.


def without_laps(text):
    """The text of a driver without what is there for laps, and without the breaks of its lines."""
    lines = [line for line in text.splitlines() if not re.match(r"\s*lap\(|from biosnn\.profiling\.", line)]
    joined = " ".join(" ".join(lines).split()).replace("one_partition( worker, ", "one_partition( ")
    return re.sub(r"(?<!\w)'?(lap_log|laps)'?, ?", "", joined).replace("( ", "(").replace(", )", ")")


def test_with_clocks_a_driver_has_the_same_statements():
    cases = list(golden.cases().items())
    for name, (describe, how) in cases[::7]:
        plan = describe().plan(**how)
        for meets in {plan.parallel, False}:
            text, clocked = plan.driver(meets), plan.driver(meets, Laps(2))
            assert "lap" not in re.findall(r"\w+", text), name
            assert without_laps(clocked) == without_laps(text), name
            assert "lap(" in clocked, name


@pytest.mark.parametrize("way", WAYS)
def test_profiled_steps_are_steps_of_a_run_to_the_bit(way):
    run, profile = sim_of(way, every=2.0), sim_of(way, every=2.0)
    for sim in (run, profile):
        assert sim.run(50.0).n_spikes > 1000
    after, found = run.run(7.0), profile.profile(7).result
    assert found.fingerprint == after.fingerprint
    assert found.synaptic_events == after.synaptic_events
    assert (found.start_ms, found.stop_ms) == (50.0, 57.0)
    np.testing.assert_array_equal(found.samples["p"]["V_m"].values, after.samples["p"]["V_m"].values)
    assert profile.time == run.time == 57.0
    assert set(profile.arrays) == set(run.arrays)
    for name in set(run.arrays) - uncompiled.OF_THE_RUN:
        np.testing.assert_array_equal(profile.arrays[name], run.arrays[name], err_msg=name)
    assert profile.run(20.0).fingerprint == run.run(20.0).fingerprint  # and goes on without clocks
    assert profile.driver_source == run.driver_source


def test_phases_add_up_to_the_wall_time(sums):
    _, profile = sums
    assert profile.wall_s == profile.result.run_s
    assert sum(p.seconds for p in profile.phases) == pytest.approx(profile.wall_s, rel=0.1)
    assert {"deliver", "rings", "arrive", "update", "collect", "record", "wait"} <= {p.name for p in profile.phases}
    assert profile.phases[-1].name == "rest"
    assert profile.phases[-1].seconds < 0.2 * profile.wall_s  # 2 % where nobody else wants the cores
    driver_s = sum(s.end - s.begin for s in profile.spans if s.name == "driver") * 1e-9
    for thread in range(2):  # each thread by itself
        times = [p.each[thread] for p in profile.phases if len(p.each) == 2]
        assert sum(times) == pytest.approx(driver_s, rel=0.05)
    turns = sum(t.phases.size for t in profile.turns)
    assert turns == sum(p.calls for p in profile.phases if p.name in NAMES)


def test_a_phase_that_takes_time_is_charged_for_it():
    few, many = (sim_of(activity=activity).profile(50) for activity in (0.001, 0.3))
    us = [{p.name: p.seconds / 50 * 1e6 for p in profile.phases} for profile in (few, many)]
    assert us[1]["deliver"] > 20 * us[0]["deliver"]  # 300 times as many spikes
    assert us[1]["update"] < 5 * us[0]["update"]


def test_threads_that_cannot_stay_together_are_told_as_partitions(monkeypatch):
    monkeypatch.setattr(meeting, "can_meet", lambda _n: False)
    sim = sim_of("rows, sums wait, two threads")
    profile = sim.profile(20)
    assert profile.threads == ("partition 0", "partition 1")
    assert sum(p.seconds for p in profile.phases) == pytest.approx(profile.wall_s, rel=0.1)
    assert profile.result.fingerprint == sim_of("rows, spikes wait").run(20.0).fingerprint


def test_events_and_bytes_are_those_that_there_were(sums):
    sim, profile = sums
    work = {p.name: p.work for p in profile.phases}
    assert work["deliver"].events == profile.result.synaptic_events
    assert work["deliver"].bytes == profile.result.synaptic_events * 5  # a word and a delay
    assert work["update"].events == work["arrive"].events == 200 * 20_000
    assert work["collect"].events == profile.result.n_spikes
    assert work["rings"].events == 200 * sim.arrays["drive"].size
    assert work["rings"].bytes == work["rings"].events * 16  # a sum and an input of four bytes, read and written
    assert work["wait"].events == 0
    sampled = sim_of(every=2.0).profile(20)
    assert next(p for p in sampled.phases if p.name == "record").work.events == 10 * 2000


def test_figures_stay_below_the_limits_of_the_machine(sums):
    _, profile = sums
    name, share = next(p for p in profile.phases if p.name == "deliver").share_of(profile.limits)
    assert name == "scatter"
    assert 0 < share < 1.5
    assert 1e8 < profile.limits.copy_bytes_per_s < 1e13
    assert 1e7 < profile.limits.scatter_events_per_s < 1e12


def test_limits_are_measured_once(monkeypatch, tmp_path):
    monkeypatch.setattr(_cache, "folder", lambda: tmp_path)
    known = limits_cpu.limits(1)
    monkeypatch.setattr(limits_cpu, "_least", lambda _call: pytest.fail("measured again"))
    assert limits_cpu.limits(1) == known
    assert known.threads == 1


def test_the_scatter_limit_adds_every_synapse():
    words = (np.arange(8, dtype=np.uint32) << 16) | np.uint32([0, 1, 2, 3, 3, 2, 1, 0])
    drive = np.zeros(4, np.int32)
    limits_cpu.scatter(words, drive)
    np.testing.assert_array_equal(drive, [7, 7, 7, 7])


def test_the_file_is_a_trace_and_a_summary(sums, tmp_path):
    _, profile = sums
    profile.write(tmp_path / "profile.json")
    file = json.loads((tmp_path / "profile.json").read_text(), parse_constant=pytest.fail)
    profiled.check(file)
    assert file == profile.trace()
    names = {e["name"] for e in file["traceEvents"] if e["ph"] == "X"}
    assert {"build", "compile", "run", "chunk", "make room", "driver", "hand out", "deliver", "wait"} <= names
    deliver = [e for e in file["traceEvents"] if e["name"] == "deliver"]
    assert len(deliver) == 2 * 200
    of_file = next(p for p in file["biosnn"]["phases"] if p["name"] == "deliver")
    assert sum(e["dur"] for e in deliver) * 1e-6 == pytest.approx(sum(of_file["seconds_of_threads"]), rel=1e-3)
    assert sum(p["share"] for p in file["biosnn"]["phases"]) == pytest.approx(1.0, rel=0.1)


def test_a_file_that_cannot_be_written_is_named(sums, tmp_path):
    with pytest.raises(bs.OutputError, match="none"):
        sums[1].write(tmp_path / "none" / "profile.json")


def test_the_check_of_the_file_finds_what_is_wrong(sums):
    for spoil in (
        lambda f: f.pop("biosnn"),
        lambda f: f["traceEvents"][-1].pop("dur"),
        lambda f: f["traceEvents"][-1].update(tid=77),
        lambda f: f["traceEvents"].pop(1),
        lambda f: f["biosnn"]["phases"][0].update(seconds="1"),
    ):
        file = json.loads(json.dumps(sums[1].trace()))
        spoil(file)
        with pytest.raises((AssertionError, KeyError)):
            profiled.check(file)


def test_functions_of_python_are_told_with_building(sums):
    _, profile = sums
    names = [f.name for f in profile.functions]
    assert 5 < len(names) <= 20
    assert any(re.fullmatch(r"biosnn/\S+\.py:\d+ \w+", name) for name in names)
    assert not any(name.startswith(("numba", "llvmlite")) for name in names)  # compiling is left out
    assert all(f.own_s <= f.total_s + 1e-9 for f in profile.functions)
    assert "build" not in {s.name for s in sim_of().profile(1).spans}  # nobody watched it


def test_a_second_profile_is_of_its_own_steps(sums):
    sim, first = sums
    before = sim.step
    second = sim.profile(30)
    assert (second.steps, sim.step) == (30, before + 30)
    assert second.result.start_ms == first.result.stop_ms
    assert "build" not in {s.name for s in second.spans}
    assert next(p for p in second.phases if p.name == "update").calls == 60


@pytest.mark.bounds
def test_only_the_first_laps_are_logged():
    profile = sim_of(n=100).profile(MOST_LOGGED // 5)
    assert sum(t.phases.size for t in profile.turns) == MOST_LOGGED
    assert next(p for p in profile.phases if p.name == "update").calls == MOST_LOGGED // 5
    assert sum(p.seconds for p in profile.phases) == pytest.approx(profile.wall_s, rel=0.1)
    profiled.check(profile.trace())


def test_laps_have_room_for_all_phases():
    (laps, _) = Laps(3).arrays()
    assert laps.shape[0] == 3
    assert FIRST + 2 * len(NAMES) <= laps.shape[1]


def test_it_prints_as_a_table(sums):
    text = str(sums[1])
    lines = text.splitlines()
    assert re.fullmatch(r"profile: 200 step\(s\) of 1 ms on 2 thread\(s\), [\d,.]+ ms: [\d,.]+ us a step", lines[0])
    assert lines[1].split()[:3] == ["phase", "share", "us"]
    for name in ("deliver", "update", "hand out"):
        assert any(line.strip().startswith(name) for line in lines)
    assert "neurons and their receptors, in one loop" in text  # no clock can part them
    assert repr(sums[1]) == text


def test_nothing_that_can_be_profiled_is_no_error():
    profile = bs.Network().build(threads=1).profile(5)
    assert profile.result.n_spikes == 0
    assert "profile: 5 step(s)" in str(profile)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (0, "profile: steps must be at least 1, got 0"),
        (-3, "profile: steps must be at least 1, got -3"),
        (1.5, "profile: steps must be a whole number, got 1.5"),
        ("many", "profile: steps must be a whole number, got 'many'"),
        (None, "profile: steps must be a whole number, got None"),
    ],
)
def test_bad_numbers_of_steps_are_refused_in_one_line(sums, steps, said):
    sim, _ = sums
    before = sim.step
    with pytest.raises(bs.DescriptionError) as error:
        sim.profile(steps)
    assert str(error.value) == said
    assert sim.step == before


def test_a_simulation_that_runs_is_not_profiled_meanwhile():
    sim = sim_of()
    with pytest.raises(bs.BusyError, match=r"^profile: this simulation is running already"):
        sim.run(20.0, sink=lambda _steps, _ids: sim.profile(1))


def test_what_ends_a_profile_leaves_a_simulation_that_runs(monkeypatch):
    sim, known = sim_of(), sim_of()
    monkeypatch.setattr("biosnn.engine.running.simulation.bad_state", lambda _built: (_ for _ in ()).throw(OSError()))
    with pytest.raises(OSError):  # noqa: PT011 - the one above
        sim.profile(10)
    monkeypatch.undo()
    sim.run(20.0)
    known.run(30.0)
    np.testing.assert_array_equal(sim.arrays["V_m"], known.arrays["V_m"])


def test_two_profilers_of_python_do_not_go_together(monkeypatch):
    class Refusing(cProfile.Profile):
        """As Python's is from 3.12 on, while another one is at work."""

        def enable(self):
            raise ValueError("Another profiling tool is already active")

    sim = sim_of(n=100)
    with monkeypatch.context() as patch:
        patch.setattr(cProfile, "Profile", Refusing)
        with pytest.raises(bs.BusyError, match=r"^profile: another profiler of Python is at work; end that one first$"):
            sim.profile(1)
    assert sim.step == 0
    assert sim.profile(1).steps == 1


def test_what_is_faster_than_a_copy_is_told_as_cached(sums):
    _, profile = sums
    slow = dataclasses.replace(profile, limits=profile.limits._replace(copy_bytes_per_s=1.0))
    assert re.search(r"update .* cached ", str(slow))
    fast = dataclasses.replace(profile, limits=profile.limits._replace(copy_bytes_per_s=1e18))
    assert re.search(r"update .* 0% of copy ", str(fast))


def test_who_watches_watches_one_context():
    found = []
    with watching() as watch:
        thread = threading.Thread(target=lambda: found.append(sim_of(n=100).profile(1)))
        thread.start()
        thread.join()
        time.sleep(0.001)
    assert watch.spans == []
    assert "build" not in {s.name for s in found[0].spans}


def test_ranges_of_nvtx_are_pushed_and_popped_where_the_package_is(tmp_path, monkeypatch):
    (tmp_path / "nvtx.py").write_text(
        "seen = []\n"
        "def push_range(message): seen.append(message)\n"
        "def pop_range(): seen.append('end')\n"
    )  # fmt: skip
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "nvtx", raising=False)
    with watching():
        sim = sim_of(n=100)
    sim.profile(1)
    import nvtx

    monkeypatch.delitem(sys.modules, "nvtx")
    seen = nvtx.seen
    assert [x for x in seen if x != "end"] == [
        f"biosnn: {name}"
        for name in ("build", "compile", "compile", "run", "chunk", "make room", "driver", "hand out", "check")
    ]  # fmt: skip
    assert seen.count("end") == 9
    assert seen[-1] == "end"
    before = len(seen)
    sim.run(5.0)  # nobody watches
    assert len(seen) == before


def test_a_ring_that_is_changed_meanwhile_is_profiled_on():
    def flood():
        net = bs.Network(dt=0.1, seed=2)
        a = net.population("a", 300, bs.models.iaf_psc_exp(tau_syn_in=7.0, t_ref=0.1))
        net.connect(a, a, bs.fixed_outdegree(60), weight=bs.uniform(-20.0, 30.0), delay=bs.uniform(0.5, 20.0))
        net.current(a, 900.0, start=4.0)
        return net

    sim = flood().build(threads=1, synapse_backend="event_driven", ring_capacity_max=30_000)
    profile = sim.profile(300)
    assert sim.plan.ways.ring == "spike_history"
    known = flood().build(threads=1, synapse_backend="event_driven", ring_strategy="spike_history")
    assert profile.result.fingerprint == known.run(30.0).fingerprint
    assert next(p for p in profile.phases if p.name == "update").calls == 300  # by both drivers
    assert sum(p.seconds for p in profile.phases) == pytest.approx(profile.wall_s)
    assert sim.run(5.0).fingerprint == known.run(5.0).fingerprint


def test_it_works_where_nothing_is_compiled():
    script = (
        "import json, profiled; sim = profiled.firing(0.1, n=50).build(threads=1); sim.run(3.0);"
        "p = sim.profile(4); profiled.check(p.trace());"
        "print(p.result.fingerprint, sum(f.seconds for f in p.phases) / p.wall_s, json.dumps(p.functions[0]))"
    )
    environment = os.environ | {"BIOSNN_COMPILE": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    fingerprint, share, _ = done.stdout.split(" ", 2)
    sim = profiled.firing(0.1, n=50).build(threads=1)
    sim.run(3.0)
    assert sim.run(4.0).fingerprint == fingerprint
    assert float(share) == pytest.approx(1.0, rel=0.1)

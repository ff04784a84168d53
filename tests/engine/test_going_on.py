"""Whatever is raised in a run, the simulation goes on from there exactly; what cannot go on says so, by name."""

import random
import signal
import threading

import networks
import numpy as np
import pytest
import travel

import biosnn as bs


class AlarmError(Exception):
    """What a signal handler of the user's raises."""


def raise_alarm(*_):
    raise AlarmError


@pytest.fixture
def alarm():
    before = signal.signal(signal.SIGALRM, raise_alarm)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.signal(signal.SIGALRM, before)


def run_to(sim, ms):
    return sim.run(round(ms - sim.time, 6))


def last_of(sim):
    """What a simulation does in 100 ms from here on, to the bit."""
    result = sim.run(100.0)
    return result.fingerprint, sim.arrays["V_m"].tobytes()


@pytest.mark.usefixtures("alarm")
def test_a_signal_handler_may_raise_at_any_moment():
    whole = networks.recurrent().build(threads=1)
    run_to(whole, 5000.0)
    expected = last_of(whole)
    rng, raised = random.Random(1), 0
    sim = networks.recurrent().build(threads=1)
    while sim.time < 5000.0:
        try:
            signal.setitimer(signal.ITIMER_REAL, rng.uniform(0.0002, 0.01))
            run_to(sim, 5000.0)
        except AlarmError:
            raised += 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
    assert raised
    assert last_of(sim) == expected


@pytest.mark.parametrize("way", [travel.PLAIN, travel.ways("event_driven", "auto", "event_bucketed")], ids=travel.named)
def test_a_sink_or_progress_function_may_raise(way):
    def failing(*_):
        raise ValueError("no room")

    whole = networks.recurrent().build(threads=1, **way)
    run_to(whole, 1000.0)
    expected = last_of(whole)
    sim = networks.recurrent().build(threads=1, **way)
    for how in ({"sink": failing}, {"progress": failing}) * 2:
        with pytest.raises(ValueError, match="no room"):
            sim.run(1000.0, **how)
    assert 0 < sim.time < 1000.0
    run_to(sim, 1000.0)
    assert last_of(sim) == expected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_ends_a_run_as_ctrl_c_does_has_what_was_recorded_as_its_result(number):
    before = signal.signal(number, signal.default_int_handler)
    try:
        net = networks.recurrent()
        net.record(net.populations["neurons"])
        sim = net.build(threads=1)
        with pytest.raises(KeyboardInterrupt) as caught:
            sim.run(200.0, progress=lambda *_: signal.raise_signal(number))
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)
    result = caught.value.result
    assert 0 < result.stop_ms == sim.time < 200.0
    assert len(result.spikes["neurons"]) == result.n_spikes > 0


def test_one_simulation_runs_once_at_a_time():
    sim = networks.recurrent().build(threads=1)
    said = []

    def again(*_):
        for call in (lambda: sim.run(1.0), lambda: threading.Thread(target=elsewhere).start()):
            try:
                call()
            except bs.BusyError as error:
                said.append(str(error))

    def elsewhere():
        with pytest.raises(bs.BusyError):
            sim.run(1.0)
        said.append("elsewhere")

    def waiting(*_):
        again()
        while "elsewhere" not in said:
            pass

    result = sim.run(1.0, sink=waiting)
    assert said[0].startswith("run: this simulation is running already; wait")
    assert "elsewhere" in said
    assert result.stop_ms == 1.0
    assert result.fingerprint == networks.recurrent().build(threads=1).run(1.0).fingerprint


def test_what_is_added_to_a_network_after_it_was_built_is_named_and_no_part_of_it():
    net = networks.recurrent()
    neurons = net.populations["neurons"]
    sim, same = net.build(threads=1), net.build(threads=1)
    net.record(neurons, "V_m", name="late")
    net.current(neurons, 100.0, name="drive")
    net.poisson(neurons, rate=10.0, weight=1.0, name="noise")
    net.connect(neurons, neurons, bs.one_to_one(), weight=1.0, name="loops")
    net.population("others", 3, bs.models.iaf_psc_exp())
    named = "population 'others', connection 'loops', Poisson input 'noise', current 'drive', recorder 'late' of V_m"
    with pytest.warns(bs.LateChangeWarning, match=f"run: {named}: added to the network after") as caught:
        result = sim.run(20.0)
    assert caught[0].filename == __file__
    assert "late" not in result.samples
    sim.run(1.0)  # it is said once
    with pytest.warns(bs.LateChangeWarning):
        assert same.run(20.0).fingerprint == result.fingerprint
    assert net.build(threads=1).run(1.0).samples["late"]["V_m"].values.shape == (10, 200)


@bs.neuron(state={"v": 1.0, "w": 0.0}, params={"gain": 1.0, "more": 0.0})
def growing(v, w, I, p, dt):
    return v * p.gain + v * p.gain * p.more, w + 1, False  # infinity times zero is NaN


@pytest.mark.parametrize(
    ("gain", "more", "what"), [(2.0, 0.0, "NaN"), (-1e30, 0.5, "infinite"), (1.5, 1.0, "infinite")]
)
def test_a_state_that_is_no_number_any_more_ends_the_run_with_what_was_recorded(gain, more, what):
    net = bs.Network(dt=0.1)
    net.population("first", 3, growing())
    second = net.population(
        "second", 4, growing(gain=np.array([1.0, 1.0, gain, 1.0]), more=np.array([0.0, 0.0, more, 0.0]))
    )
    net.record(second, "v")
    sim = net.build(threads=1)
    with pytest.raises(bs.StateRangeError) as caught:
        sim.run(1000.0)
    assert f"v of growing neuron 2 of population 'second' became {what} between 0 and " in str(caught.value)
    values = caught.value.result.samples["second"]["v"].values
    assert len(values) == sim.step
    np.testing.assert_allclose(values[0], [1, 1, gain * (1 + more), 1], rtol=1e-6)
    step = sim.step
    with pytest.raises(bs.StateRangeError, match="neuron 2 of population 'second'"):
        sim.run(1.0)
    assert sim.step == step
    sim.arrays["own0_state_v"][:] = 1.0  # mended by the user
    sim.run(0.1)


def flood(n=300, dt=0.1):
    """Silent at first; then spikes by the thousand, with delays of up to 20 ms."""
    net = bs.Network(dt=dt, seed=2)
    a = net.population("a", n, bs.models.iaf_psc_exp(tau_syn_in=7.0, t_ref=0.1))
    net.connect(a, a, bs.fixed_outdegree(60), weight=bs.uniform(-20.0, 30.0), delay=bs.uniform(0.5, 20.0))
    net.current(a, 900.0, start=4.0)
    return net


@pytest.mark.parametrize("backend", ["event_driven", "auto"])
def test_a_ring_that_was_left_to_biosnn_and_is_full_is_changed_with_the_same_spikes(backend, caplog):
    expected = travel.traced(flood, steps=300)
    sim = flood().build(threads=1, synapse_backend=backend, ring_capacity_max=30_000)
    assert sim.plan.ways.ring == "event_bucketed"
    with caplog.at_level("INFO", "biosnn"):
        travel.assert_follows(flood(), sim, expected, travel.UNEVENLY)
    assert sim.plan.ways.ring == "spike_history"
    assert sum("is full: the spikes wait in a history from here on" in r.message for r in caplog.records) == 1


def test_a_ring_of_events_is_not_chosen_where_the_activity_that_is_planned_for_would_fill_it():
    net = bs.Network(dt=0.1)
    a = net.population("a", 200_000, bs.models.iaf_psc_exp())
    net.connect(a, a, bs.fixed_outdegree(100), weight=1.0, delay=bs.uniform(1.0, 20.0))
    assert net.plan(threads=1).ways.ring == "event_bucketed"
    assert net.plan(threads=1, max_ring_mib=8.0).ways.ring == "spike_history"

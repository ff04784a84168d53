"""What a run returns: samples, spikes, statistics; in one piece or in several."""

import hashlib
import struct
from collections import Counter

import networks
import numpy as np
import pytest
from laboratory import MODELS, laboratory

import biosnn as bs


def test_samples_are_taken_at_multiples_of_every_however_a_run_is_cut():
    how = {"model": MODELS[1], "trains": [[0.2, 1.3, 4.6]], "delay": 0.1, "I_e": 40.0}
    fine = laboratory(**how).run(9.0).samples["cells"]["V_m"]
    np.testing.assert_array_equal(fine.times, np.arange(1, 91) / 10)
    sim = laboratory(**how, every=0.5)
    parts = [sim.run(ms).samples["cells"]["V_m"] for ms in (0.7, 0.2, 1.1, 7.0)]
    assert [part.times.size for part in parts] == [1, 0, 3, 14]
    np.testing.assert_array_equal(np.concatenate([part.times for part in parts]), np.arange(1, 19) / 2)
    np.testing.assert_array_equal(np.concatenate([part.values for part in parts]), fine.values[4::5])


def test_spike_sources_are_recorded_at_the_times_they_were_given():
    times = [[0.1, 0.3, 29.9], [], [0.7, 12.3]]
    found = laboratory(MODELS[1], n=3, trains=times).run(29.9).spikes["spikes"]
    senders = found.senders - 3  # the neurons come first in their group
    assert [found.times[senders == k].tolist() for k in range(3)] == times


def simulated(*pieces, **how):
    """Results of the pieces of a run, and all (step, neuron) pairs that a sink was handed meanwhile."""
    net = networks.recurrent()
    net.record(net.populations["neurons"])
    sim, pairs = net.build(threads=1), []
    sim.plan.chunk_steps = 300  # so that there are several chunks
    results = [sim.run(ms, sink=lambda *found: pairs.append(np.column_stack(found)), **how) for ms in pieces]
    return results, np.concatenate(pairs)


def documented_fingerprint(pairs):
    """As docs/semantics.md has it, spike by spike."""
    per_step, neurons = Counter(pairs[:, 0].tolist()), sorted(pairs.tolist())
    busy = b"".join(struct.pack("<qq", step, n) for step, n in sorted(per_step.items()))
    ids = b"".join(struct.pack("<i", i) for _, i in neurons)
    return hashlib.sha256(hashlib.sha256(busy).digest() + hashlib.sha256(ids).digest()).hexdigest()


def test_a_run_in_pieces_has_the_fingerprint_of_one_run_which_is_the_documented_one():
    (whole,), pairs = simulated(100.0)
    assert whole.fingerprint == documented_fingerprint(pairs)
    parts, in_pieces = simulated(40.0, 60.0)
    assert documented_fingerprint(in_pieces) == whole.fingerprint
    again, _ = simulated(13.0, 27.0, 60.0)
    assert again[-1].fingerprint == parts[-1].fingerprint != whole.fingerprint


def test_a_sink_is_handed_every_spike_in_order():
    (result,), pairs = simulated(100.0)
    assert len(pairs) == result.n_spikes > 200
    assert pairs.tolist() == sorted(pairs.tolist())
    np.testing.assert_array_equal(pairs[:, 0] + 1, np.rint(result.spikes["neurons"].times * 10))
    np.testing.assert_array_equal(pairs[:, 1], result.spikes["neurons"].senders)


def test_progress_is_told_in_steps_after_each_chunk(capsys):
    told = []
    simulated(100.0, progress=lambda *steps: told.append(steps))
    done, total = np.transpose(told)
    assert set(total.tolist()) == {1000}
    assert np.diff([0, *done]).max() <= 300
    assert np.diff([0, *done]).min() > 0
    assert done[-1] == 1000
    assert capsys.readouterr() == ("", "")


def test_rows_of_spike_counts_are_those_of_what_was_recorded_whatever_it_is_called():
    how = {"V_th": -70.0, "V_reset": -75.0, "tau_m": 10.0, "t_ref": 0.1, "E_L": -60.0}  # they fire by themselves
    net = bs.Network()
    a, b = (net.population(name, n, bs.models.iaf_psc_exp(**how)) for name, n in (("a", 7), ("b", 3)))
    net.record(a[2:5], name="b")
    net.record(b, name="a")
    net.record([b[:2], a], name="both")
    silent = net.population("silent", 4, bs.models.iaf_psc_exp())
    net.record([silent, b[:1]], name="few")
    result = net.build(threads=1).run(50.0)
    counts = {name: result.spike_counts(name, 50.0)[:, 0] for name in ("a", "b", "both", "few")}
    assert {name: (rows > 0).tolist() for name, rows in counts.items()} == {
        "a": [True] * 3, "b": [False, False, True, True, True, False, False], "both": [True] * 9,
        "few": [False] * 4 + [True],
    }  # fmt: skip


def test_spike_counts_and_statistics_are_those_of_the_recorded_spikes():
    (_, result), _ = simulated(20.0, 555.5)
    times, senders = result.spikes["neurons"].times, result.spikes["neurons"].senders
    counts = result.spike_counts("neurons", 100.0)
    edges = 20.0 + np.arange(6) * 100.0 + 0.05  # a spike at the end of a bin is in it; the last half bin is left out
    np.testing.assert_array_equal(counts, np.histogram2d(senders, times, [np.arange(201), edges])[0])
    trains = [times[senders == i] for i in range(200)]
    of = result.populations["neurons"]
    np.testing.assert_array_equal(of.counts, [train.size for train in trains])
    assert result.rates["neurons"] == pytest.approx(times.size / 200 / 0.5555)
    intervals = [np.diff(train) for train in trains if train.size > 2]
    assert of.cv_isi == pytest.approx(np.mean([x.std() / x.mean() for x in intervals]))

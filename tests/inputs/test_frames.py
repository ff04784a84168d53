"""Images and frames: as rates, and as the spikes of sources, against loops over pixels."""

import networks
import numpy as np
import pytest

import biosnn as bs

DT = 0.1


def steps_of(ms):
    return round(ms / DT)


def test_rate_coding_shows_each_frame_in_its_time_and_nothing_after_the_last():
    frames = np.zeros((2, 4, 5))
    frames[0, 1, 2], frames[1, 3, 0] = 1.0, 0.5
    net = bs.Network(dt=DT)
    cells = net.population(
        "cells", 20, bs.models.iaf_psc_delta(tau_m=1e12, V_th=1e12, E_L=0.0, V_reset=0.0), shape=(4, 5)
    )
    net.frames(cells, frames, every=10.0, max_rate=20_000.0, weight=1.0, start=5.0)
    net.record(cells, "V_m")
    V = net.build(threads=1).run(40.0).samples["cells"]["V_m"].values
    counts = np.diff(V, axis=0, prepend=0.0).reshape(-1, 4, 5)
    assert counts.sum((1, 2))[: steps_of(5.0) - 1].sum() == counts.sum((1, 2))[steps_of(25.0) - 1 :].sum() == 0
    assert counts[:, 1, 2].sum() + counts[:, 3, 0].sum() == counts.sum()
    assert abs(counts[:, 1, 2].sum() - 200) < 5 * np.sqrt(200)
    assert abs(counts[:, 3, 0].sum() - 100) < 5 * np.sqrt(100)


def test_latency_coding_fires_brighter_pixels_earlier_and_dark_ones_never():
    frames = np.array([[[1.0, 0.75], [0.0, 0.01]], [[0.5, 0.0], [1.0, 0.0]]])
    net = bs.Network(dt=DT)
    source = net.frame_source("eye", frames, every=20.0, coding="latency", window=10.0)
    assert source.shape == (2, 2)
    (train,) = net.spike_trains
    found = sorted(zip(np.round((train.steps + 1) * DT, 6).tolist(), train.senders.tolist(), strict=True))
    assert found == [(0.1, 0), (2.5, 1), (9.9, 3), (20.1, 2), (25.0, 0)]


def test_delta_coding_follows_changes_since_the_last_spike():
    rng = np.random.default_rng(1)
    frames = np.clip(np.cumsum(rng.normal(0.0, 0.05, (50, 3, 4)), 0) + 0.5, 0.0, 1.0)
    net = bs.Network(dt=DT)
    source = net.frame_source("eye", frames, every=2.0, coding="delta", threshold=0.1)
    assert source.shape == (2, 3, 4)
    expected = []
    for y, x in np.ndindex(3, 4):
        last = frames[0, y, x]
        for k in range(1, 50):
            change = frames[k, y, x] - last
            if abs(change) > 0.1:
                expected.append((2.0 * k, (0 if change > 0 else 12) + 4 * y + x))
                last = frames[k, y, x]
    (train,) = net.spike_trains
    found = zip(np.round((train.steps + 1) * DT, 6).tolist(), train.senders.tolist(), strict=True)
    assert sorted(found) == sorted(expected)


def test_frames_by_spikes_reach_their_neurons_one_step_later():
    net = bs.Network(dt=DT)
    cells = networks.cells(net, "cells", 4)
    source = net.frames(cells, [[1.0, 0.5], [0.0, 0.9]], every=10.0, coding="latency", weight=2.0)
    assert source.name == "frames->cells"
    net.record(cells, "V_m")
    V = net.build(threads=1).run(10.0).samples["cells"]["V_m"].values
    np.testing.assert_array_equal(V[-1], [2.0, 2.0, 0.0, 2.0])
    np.testing.assert_array_equal((V[:, [0, 1, 3]] > 0).argmax(0), [1, 50, 10])  # row k is at (k + 1) dt


@pytest.mark.parametrize("start", [0.0, 3.0])
def test_repeated_frames_are_those_that_stand_several_times_in_the_array(start):
    movie = np.random.default_rng(1).random((3, 4, 5))
    found = []
    for frames, repeat in ((movie, True), (np.tile(movie, (7, 1, 1)), False)):
        net = bs.Network(dt=DT)
        cells = net.population("cells", 20, bs.models.parrot_neuron(), shape=(4, 5))
        net.frames(cells, frames, every=5.0, weight=1.0, max_rate=500.0, repeat=repeat, start=start)
        found.append(net.build(threads=1).run(100.0))
    assert found[0].populations["cells"].counts.sum() > 500
    assert found[0].fingerprint == found[1].fingerprint


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ({"coding": "delta", "repeat": True}, "repeat is for coding 'rate', got 'delta'"),
        ({"repeat": 1}, "True or False"),
    ],
)
def test_only_rates_repeat(arguments, fragment):
    net = bs.Network(dt=DT)
    cells = net.population("cells", 24, bs.models.iaf_psc_exp())
    with pytest.raises(bs.DescriptionError, match=fragment):
        net.frames(cells, np.zeros((2, 3, 4)), every=5.0, weight=1.0, **arguments)

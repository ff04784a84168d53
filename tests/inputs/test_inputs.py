"""Inputs that change, against SciPy's laws and naive loops: Poisson rates, currents, noise."""

import networks
import numpy as np
import pytest
from scipy import stats

import biosnn as bs
from biosnn.random import NOISE, keyed, normals

DT = 0.1


def steps_of(times):
    return np.rint(np.asarray(times) / DT).astype(int)


# Poisson rates


def arrivals(n, rate, ms, seed=1, threads=1):
    """Arrivals [step, neuron] of n neurons: the k-th row is what arrives at (k + 1) dt."""
    net = bs.Network(dt=DT, seed=seed)
    cells = networks.cells(net, "cells", n)
    net.poisson(cells, rate=rate, weight=1.0)
    net.record(cells, "V_m")
    samples = net.build(threads=threads).run(ms).samples["cells"]["V_m"]
    np.testing.assert_array_equal(steps_of(samples.times), np.arange(1, len(samples.times) + 1))
    return np.diff(samples.values, axis=0, prepend=0.0)


def chi_square(counts, mean):
    """p-value of counts under a Poisson law, in bins of at least five expected counts."""
    edges = stats.poisson.ppf(np.arange(1, 20) / 20, mean)
    edges = np.unique(np.concatenate([edges, [edges[-1] + 2, edges[-1] + 4]]))
    cdf = np.concatenate([[0.0], stats.poisson.cdf(edges, mean), [1.0]])
    found = np.bincount(np.searchsorted(edges, counts.ravel(), side="left"), minlength=edges.size + 1)
    expected = np.diff(cdf) * counts.size
    enough = expected >= 5
    found = np.append(found[enough], found[~enough].sum())
    expected = np.append(expected[enough], expected[~enough].sum())
    keep = expected > 1
    return stats.chi2.sf(((found - expected) ** 2 / np.maximum(expected, 1e-9))[keep].sum(), max(keep.sum() - 1, 1))


def test_counts_of_a_rate_for_each_neuron_follow_the_poisson_law():
    means = np.array([0.0, 0.005, 0.1, 0.8, 3.0, 20.0, 400.0])  # per step
    rates = np.repeat(means, 500) / (DT * 1e-3)
    found = arrivals(rates.size, rates, 40.0)
    for k, mean in enumerate(means):
        counts = found[:, 500 * k : 500 * (k + 1)]
        if mean == 0:
            assert not counts.any()
            continue
        assert chi_square(counts, mean) > 1e-3, mean
        assert abs(counts.mean() - mean) < 4 * np.sqrt(mean / counts.size)
        assert counts.var() == pytest.approx(mean, rel=6 * np.sqrt((2 + 1 / mean) / counts.size))


@pytest.mark.parametrize("rate", [5000.0, 160_000.0])
def test_one_rate_gives_the_same_arrivals_in_whatever_form_it_is_given(rate):
    expected = arrivals(700, rate, 20.0)
    for form in (np.full(700, rate), bs.stepped([0.0], [rate]), bs.sinusoidal(rate, 0.0, 10.0)):
        np.testing.assert_array_equal(arrivals(700, form, 20.0), expected)
    each = bs.sinusoidal(np.full(700, rate), 0.0, 10.0)
    np.testing.assert_array_equal(arrivals(700, each, 20.0), expected)


def z_of_steps(counts, mean):
    """How many standard deviations the counts of all neurons are off, in each step."""
    return (counts.sum(1) - mean.sum(1)) / np.sqrt(np.maximum(mean.sum(1), 1e-12))


def test_a_stepped_rate_holds_for_what_arrives_from_its_time_on():
    rng = np.random.default_rng(1)
    times, levels = [5.0, 10.0, 15.0], np.array([9000.0, 0.0, 30_000.0])
    for values in (levels, levels[:, None] * rng.uniform(0.5, 1.5, 400)):
        found = arrivals(400, bs.stepped(times, values), 20.0)
        t = np.arange(1, 201)
        level = np.searchsorted(steps_of(times), t, side="right") - 1
        mean = np.where(level[:, None] < 0, 0.0, np.broadcast_to(values.reshape(3, -1)[level], (200, 400))) * DT * 1e-3
        assert not found[mean.sum(1) == 0].any()
        assert (found[mean.sum(1) > 0].sum(1) > 0).all()
        z = z_of_steps(found, mean)[mean.sum(1) > 0]
        assert abs(z).max() < 4
        assert stats.kstest(z, "norm").pvalue > 1e-3


def test_a_sinusoidal_rate_is_that_of_nest_s_generator_at_the_time_of_arrival():
    phases = np.linspace(0.0, 350.0, 600)
    for phase in (60.0, phases):
        found = arrivals(600, bs.sinusoidal(5000.0, 8000.0, 40.0, phase), 50.0)
        t = np.arange(1, 501)[:, None] * DT
        rate = 5000.0 + 8000.0 * np.sin(2 * np.pi * 40.0 * t * 1e-3 + np.deg2rad(phase)) + np.zeros(600)
        mean = np.maximum(rate, 0.0) * DT * 1e-3
        z = z_of_steps(found, mean)[mean.sum(1) > 1]
        assert abs(z).max() < 4.5
        assert stats.kstest(z, "norm").pvalue > 1e-3
        assert not found[mean == 0].any()


def test_an_array_of_rates_is_played_back_and_its_last_one_holds():
    values = np.array([[20_000.0, 0.0], [0.0, 20_000.0]])
    found = arrivals(2, bs.playback(values, 5.0), 15.0)
    shown = steps_of(5.0) - 1  # the row of what arrives at 5 ms
    assert found[:shown, 0].sum() > 0
    assert found[shown:, 1].sum() > 100
    assert not found[:shown, 1].any()
    assert not found[shown:, 0].any()


def test_rates_follow_the_order_of_their_group():
    net = bs.Network(dt=DT)
    a, b = networks.cells(net, "a", 30), networks.cells(net, "b", 20)
    order = np.random.default_rng(3).permutation(50)
    rates = np.where(np.arange(50) < 25, 0.0, 50_000.0)
    net.poisson((b + a)[order], rate=rates, weight=1.0)
    V = net.build(threads=1)
    V.run(10.0)
    counts = np.concatenate([V.arrays["V_m"][30:], V.arrays["V_m"][:30]])  # b, then a
    np.testing.assert_array_equal(counts[order] > 0, rates > 0)


# Currents


def injected(net, steps, threads=1):
    """The current [step, neuron] that was injected in each step."""
    sim = net.build(threads=threads)
    found = []
    for _ in range(steps):
        sim.run(DT)
        found.append(sim.arrays["injected"].copy())
    return np.array(found, np.float64)


def test_a_sinusoidal_current_is_that_of_nest_s_ac_generator_and_adds_to_others():
    net = bs.Network(dt=DT)
    cells = networks.cells(net, "cells", 5)
    amplitude, phase = np.arange(1.0, 5.0), np.array([0.0, 90.0, 200.0, 300.0])
    net.current(cells[1:], bs.sinusoidal(10.0, amplitude, 50.0, phase))
    net.current(cells[::-1], bs.sinusoidal(2.0, np.arange(5.0), 20.0), start=3.0, stop=6.0)
    net.current(cells, 100.0, start=1.0)
    found = injected(net, 100)
    t = np.arange(100)[:, None] * DT
    expected = np.where(t > 1.0 - 1e-9, 100.0, 0.0) + np.zeros(5)
    expected[:, 1:] += 10.0 + amplitude * np.sin(2 * np.pi * 0.05 * t + np.deg2rad(phase))
    on = (t > 3.0 - 1e-9) & (t < 6.0 - 1e-9)
    expected += on * (2.0 + np.arange(5.0)[::-1] * np.sin(2 * np.pi * 0.02 * t))
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_a_current_at_a_time_moves_the_potential_one_step_later():
    net = bs.Network(dt=DT)
    cells = networks.cells(net, "cells", 2, C_m=100.0)
    net.current(cells[0], bs.sinusoidal(5.0, 30.0, 25.0), start=2.0)
    net.current(cells[1], bs.noise(40.0, 0.0, 0.5), start=2.0)
    net.record(cells, "V_m")
    V = net.build(threads=1).run(10.0).samples["cells"]["V_m"].values
    t = np.arange(100) * DT
    current = np.where(t > 2.0 - 1e-9, [5.0 + 30.0 * np.sin(2 * np.pi * 0.025 * t), 40.0 + 0 * t], 0.0)
    assert not V[: steps_of(2.0)].any()  # V[19] is V at 2.0 ms
    np.testing.assert_allclose(V, np.cumsum(current, 1).T * DT / 100.0, atol=1e-5)


def test_arrays_played_back_hold_their_last_value_until_the_current_stops():
    net = bs.Network(dt=DT)
    cells = networks.cells(net, "cells", 3)
    values = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    net.current(cells, bs.playback(values, 0.5), start=1.0, stop=3.0)
    net.current(cells[:1], bs.playback([10.0, 20.0], 0.2))
    net.current(cells, bs.stepped([0.0, 1.5, 5.0], [100.0, 200.0, 300.0]), start=0.5, stop=2.0)
    found = injected(net, 60)
    expected = np.zeros((60, 3))
    expected[10:15], expected[15:30] = values
    expected[:2, 0] += 10.0
    expected[2:, 0] += 20.0
    expected[5:15] += 100.0
    expected[15:20] += 200.0
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_noise_is_gaussian_independent_and_new_after_each_of_its_intervals():
    net = bs.Network(dt=DT, seed=2)
    cells = networks.cells(net, "cells", 1001)
    net.current(cells[1:], bs.noise(20.0, 5.0, 0.5), start=1.0, stop=21.0)
    found = injected(net, 230)
    assert not found[:10].any()
    assert not found[210:].any()
    assert not found[:, 0].any()
    blocks = found[10:210, 1:].reshape(40, 5, 1000)
    assert (blocks == blocks[:, :1]).all()
    drawn = (blocks[:, 0] - 20.0) / 5.0
    assert stats.kstest(drawn.ravel(), "norm").pvalue > 1e-3
    n = drawn.size
    for one, other in ((drawn[1:], drawn[:-1]), (drawn[:, 1:], drawn[:, :-1]), (drawn[:, ::2], drawn[:, 1::2])):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 5 / np.sqrt(n / 2)


def test_an_ornstein_uhlenbeck_current_is_stationary_and_forgets_with_its_time_constant():
    net = bs.Network(dt=DT, seed=5)
    n, tau, mean, std = 4000, 2.0, np.linspace(-50.0, 50.0, 4000), 8.0
    net.current(networks.cells(net, "cells", n), bs.ornstein_uhlenbeck(mean, std, tau))
    z = (injected(net, 100) - mean) / std
    for step in (0, 1, 50, 99):  # from the first step on
        assert stats.kstest(z[step], "norm").pvalue > 1e-3
    for lag in (1, 5, 20, 60):
        expected = np.exp(-lag * DT / tau)
        found = np.mean([np.corrcoef(z[k], z[k + lag])[0, 1] for k in (0, 20, 39)])
        assert found == pytest.approx(expected, abs=4 / np.sqrt(n))
    joint = (z[1] - np.exp(-DT / tau) * z[0]) / np.sqrt(1 - np.exp(-2 * DT / tau))
    assert stats.kstest(joint, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(joint, z[0])[0, 1]) < 4 / np.sqrt(n)


@pytest.mark.bounds
def test_normal_numbers_do_not_depend_on_where_a_tile_begins():
    key, whole, part, work = keyed(1, NOISE, 3), *(np.zeros(200, np.float32) for _ in range(3))
    normals(0, 100, key, whole, work)
    normals(17, 50, key, part, work)
    np.testing.assert_array_equal(part[:100], whole[34:134])


# All of them


def everything(n=3000):
    net = bs.Network(dt=DT, seed=3)
    rng = np.random.default_rng(4)
    a, b = networks.cells(net, "a", n), networks.cells(net, "b", n // 3 + 1)
    exp = net.population("exp", 777, bs.models.iaf_psc_exp())
    net.poisson([a, exp], rate=rng.uniform(0.0, 30_000.0, n + 777), weight=1.0)
    net.poisson(b[5:], rate=bs.stepped([0.0, 5.0], [8000.0, 1000.0]), weight=0.5)
    net.poisson(exp, rate=bs.sinusoidal(8000.0, rng.uniform(0.0, 9000.0, 777), 20.0, 90.0), weight=87.8)
    net.poisson(a, rate=5000.0, weight=1.0)
    net.current([b[::-1], exp], bs.noise(100.0, 30.0, 0.5))
    net.current((a + exp)[3:], bs.ornstein_uhlenbeck(rng.uniform(0.0, 300.0, n + 774), 30.0, 5.0), start=2.0)
    net.current(exp, bs.sinusoidal(1.0, 200.0, 10.0), stop=8.0)
    net.current(a[:10], bs.playback([1.0, 2.0, 3.0], 5.0))
    return net


@pytest.mark.bounds
def test_one_two_and_three_threads_give_the_same_states_and_take_what_was_planned():
    net = everything()
    states = {}
    for threads in (1, 2, 3):
        sim = net.build(threads=threads)
        assert sim.bytes == pytest.approx(net.plan(threads=threads).bytes, rel=0.02)
        for ms in (7.3, 4.7):  # in two pieces
            sim.run(ms)
        states[threads] = {k: sim.arrays[k] for k in sim.arrays if k.endswith(("V_m", "I_syn", "injected"))}
        assert len(states[threads]) >= 4
    for threads in (2, 3):
        for name, values in states[1].items():
            np.testing.assert_array_equal(states[threads][name], values, err_msg=name)
    assert states[1]["iaf_psc_delta_V_m"].std() > 0


def test_the_largest_rate_enters_the_bound_of_sums():
    def bound(rate):
        net = bs.Network(dt=DT)
        net.poisson(networks.cells(net, "a", 10), rate=rate, weight=1.0)
        return net.plan(threads=1).precision.poisson[0].bound

    for form in (np.full(10, 7000.0), bs.stepped([0.0, 1.0], [10.0, 7000.0]), bs.sinusoidal(4000.0, -3000.0, 1.0)):
        assert bound(form) == pytest.approx(bound(7000.0))


# What is refused


def refuse(call, *fragments):
    net = bs.Network(dt=DT)
    cells = net.population("cells", 6, bs.models.iaf_psc_exp(), shape=(2, 3))
    with pytest.raises(bs.BioSNNError) as error:
        call(net, cells)
    message = str(error.value)
    assert "\n" not in message
    for fragment in fragments:
        assert fragment in message


POISSON = {"weight": 1.0}


@pytest.mark.parametrize(
    ("call", "fragments"),
    [
        (lambda n, c: n.poisson(c, rate=[1.0] * 5, **POISSON), ["poisson 'cells'", "rate", "(6,)", "(5,)"]),
        (lambda n, c: n.poisson(c, rate=[1.0] * 5 + [-1.0], **POISSON), ["rate must be at least 0 (Hz)", "index"]),
        (lambda n, c: n.poisson(c, rate=[6e6] * 6, **POISSON), ["rate must be at most 5e+06 (Hz)"]),
        (lambda n, c: n.poisson(c, rate=bs.noise(1.0, 1.0), **POISSON), ["rate must be a number, an array, stepped"]),
        (lambda n, c: n.poisson(c, rate=bs.stepped([1.0, 0.5], [1.0, 1.0]), **POISSON), ["increase", "0.5 ms after 1"]),
        (lambda n, c: n.poisson(c, rate=bs.stepped([0.05], [1.0]), **POISSON), ["multiples of dt", "0.05"]),
        (lambda n, c: n.poisson(c, rate=bs.stepped([0.0], [[1.0] * 5]), **POISSON), ["(1,) or (1, 6)", "(1, 5)"]),
        (lambda n, c: n.poisson(c, rate=bs.sinusoidal([1.0] * 5, 1.0, 1.0), **POISSON), ["offset", "(6,)", "(5,)"]),
        (lambda n, c: n.current(c, bs.noise(1.0, 1.0, 0.25)), ["dt of the noise", "multiple of dt = 0.1 ms"]),
        (lambda n, c: n.current(c, bs.noise(1e-12, 0.0)), ["current 'cells'", "pA", "SI units"]),
        (lambda n, c: n.current(c, bs.noise(1.0, 1.0), start=2.0, stop=1.0), ["stop must be after start = 2 ms"]),
        (lambda n, c: n.current(c, bs.ornstein_uhlenbeck(1.0, [1.0], 5.0)), ["std", "(6,)", "(1,)"]),
        (lambda n, c: n.current(c, bs.playback(np.ones((2, 5)), 1.0)), ["amplitudes", "(2, 6)", "(2, 5)"]),
        (lambda n, c: n.current(c, bs.playback([1.0], 0.25)), ["every", "multiple of dt"]),
        (lambda _n, _c: bs.stepped([0.0, 1.0], [1.0]), ["stepped", "(n_times,)", "(1,)"]),
        (lambda _n, _c: bs.playback([], 1.0), ["playback", "(n_samples,)"]),
        (lambda _n, _c: bs.sinusoidal(1.0, 1.0, -1.0), ["frequency", "at least 0 (Hz)"]),
        (lambda _n, _c: bs.noise(1.0, -1.0), ["noise", "std must be at least 0 (pA)"]),
        (lambda _n, _c: bs.ornstein_uhlenbeck(1.0, 1.0, 0.0), ["tau must be above 0 (ms)"]),
        (lambda _n, _c: bs.ornstein_uhlenbeck(1.0, [[1.0]], 1.0), ["std", "one-dimensional", "(1, 1)"]),
        (
            lambda n, _c: n.population("p", 6, bs.models.iaf_psc_exp(), shape=(2, 2)),
            ["shape", "product of n = 6", "(2, 2)"],
        ),
        (lambda n, c: n.frames(c, np.ones((3, 3)), weight=1.0), ["frames 'cells'", "(3, 3)", "6 neurons", "(2, 3)"]),
        (lambda n, c: n.frames(c, np.ones((3, 2)), weight=1.0), ["shape (3, 2)", "of shape (2, 3)"]),
        (lambda n, c: n.frames(c, 255 * np.ones((2, 3)), weight=1.0), ["from 0 to 1, got 255", "divide"]),
        (lambda n, c: n.frames(c, -np.ones((2, 3)), weight=1.0), ["frames must be at least 0"]),
        (lambda n, c: n.frames(c, np.ones((2, 2, 3)), weight=1.0), ["every (ms) must be given for 2 frames"]),
        (lambda n, c: n.frames(c, np.ones(6), weight=1.0), ["[T, H, W]", "(6,)"]),
        (lambda n, c: n.frames(c, np.ones((2, 3)), weight=1.0, coding="latncy"), ["coding", "did you mean 'latency'"]),
        (lambda n, c: n.frames(c, np.ones((2, 3)), weight=1.0, coding="delta"), ["(2, 2, 3)", "6 neurons"]),
        (lambda n, _c: n.frame_source("s", np.ones((2, 3))), ["frame_source 's'", "every (ms) must be given"]),
        (lambda n, _c: n.frame_source("s", np.ones((2, 3)), every=1.0, window=2.0), ["window must be at most every"]),
        (lambda n, _c: n.frame_source("s", np.ones((2, 3)), every=1.0, coding="rate"), ["unknown coding 'rate'"]),
    ],
)
def test_what_cannot_be_simulated_is_refused_in_one_line(call, fragments):
    refuse(call, *fragments)

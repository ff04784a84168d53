"""Times in whole steps: to the nearest one where their format leaves no doubt, and refused elsewhere."""

import numpy as np
import pytest

import biosnn as bs
from biosnn import _validate

DT = 0.1


def source(times, dt=DT):
    net = bs.Network(dt=dt)
    net.spike_source("s", times)
    return net.spike_trains[0].steps + 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("dt", [0.1, 0.3, 0.025, 1 / 3])
def test_times_are_those_of_the_nearest_step(dtype, dt):
    steps = np.unique(np.random.default_rng(1).integers(1, 100_000, 5000))
    for times in (steps.astype(dtype) * dtype(dt), (steps * dt).astype(dtype)):
        np.testing.assert_array_equal(source(times, dt), steps)


def test_the_step_may_be_of_32_bits_too():
    assert [bs.Network(dt=dt).dt for dt in (np.float32(0.1), np.float16(0.1), np.array(0.1, "f4"), 0.1)] == [0.1] * 4
    assert source(np.float32([0.1, 0.7, 1000.3]), np.float32(0.1)).tolist() == [1, 7, 10003]
    with pytest.raises(bs.DescriptionError, match=r"dt must be at least 0.001 \(ms\)"):
        bs.Network(dt=np.float32(1e-4))


def test_all_times_may_be_of_32_bits():
    single = np.float32
    net = bs.Network(dt=DT)
    a = net.population("a", 2, bs.models.iaf_psc_exp())
    late, later = single(1000.3), single(2000.7)
    assert net.current(a, 1.0, start=late, stop=later).steps.tolist() == [10003, 20007]
    assert net.step_current(a, np.array([late, later]), [1.0, 2.0]).steps.tolist() == [10003, 20007]
    assert net.current(a, bs.stepped(np.array([late, later]), [1.0, 2.0])).steps.tolist() == [10003, 20007]
    assert net.current(a, bs.playback([1.0, 2.0], late)).steps.tolist() == [0, 10003]
    assert net.current(a, bs.noise(1.0, 2.0, late), start=late, stop=later).stop == 20007
    assert net.record(a, "V_m", every=late).every == 10003
    net.spike_source("mixed", [np.array([late, later]), [1000.3]])
    assert net.spike_trains[-1].steps.tolist() == [10002, 10002, 20006]
    net.frames(a, np.ones((2, 2, 1)), weight=1.0, every=late, start=later)
    assert net.poisson_inputs[0].rate.steps.tolist() == [20006, 30009, 40012]
    step = bs.Network(dt=0.7)
    b = step.population("b", 1, bs.models.iaf_psc_exp())
    assert step.connect(b, b, bs.one_to_one(), weight=1.0, delay=single([0.7])).delay == pytest.approx(0.7)


@pytest.mark.parametrize("late", [0.0, 1e5, 1e8])
def test_what_lies_between_two_steps_is_refused_however_late_it_is(late):
    net = bs.Network(dt=DT)
    a = net.population("a", 1, bs.models.iaf_psc_exp())
    for off in (0.05, 0.01, 1e-5):
        with pytest.raises(bs.DescriptionError, match="multiples of dt"):
            source([late + 1.0, late + 1.0 + off])
        with pytest.raises(bs.DescriptionError, match="a multiple of dt"):
            _validate.whole_steps("", "", late + off, DT)
        with pytest.raises(bs.DescriptionError, match="multiples of dt"):
            net.current(a, bs.stepped([late + off], [1.0]))
    assert source([late + 0.1]).tolist() == [round(late * 10) + 1]


def test_a_time_whose_format_cannot_tell_its_step_is_refused():
    assert source(np.float32([65_000.1])).tolist() == [650_001]
    for time in (np.float32([1e5, 2e5]), np.float16([100.1]), [1e14]):
        with pytest.raises(bs.DescriptionError, match=r"more than (16|32|64) bits to name one step of 0.1 ms"):
            source(time)


def test_messages_show_a_time_with_all_its_digits():
    with pytest.raises(bs.DescriptionError, match=r"got 100000000.05 ms \(at index 1\)"):
        source([0.1, 1e8 + 0.05])

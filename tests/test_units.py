"""Quantities are rescaled to our units or refused, whichever package they are of; the factors are SI's."""

from types import SimpleNamespace
from typing import ClassVar

import astropy.units as au
import neo
import numpy as np
import pint
import pytest
import quantities as pq

import biosnn as bs

EXP = bs.models.iaf_psc_exp
PINT = pint.UnitRegistry()


class Brian(np.ndarray):
    """Like a quantity of Brian2: its numbers are in SI, and it knows its exponents of m, kg, s, A, K, mol and cd."""

    UNITS: ClassVar = {
        "us": (1e-6, (0, 0, 1, 0, 0, 0, 0)), "s": (1.0, (0, 0, 1, 0, 0, 0, 0)), "V": (1.0, (2, 1, -3, -1, 0, 0, 0)),
        "nA": (1e-9, (0, 0, 0, 1, 0, 0, 0)), "kHz": (1e3, (0, 0, -1, 0, 0, 0, 0)), "mm": (1e-3, (1, 0, 0, 0, 0, 0, 0)),
        "uS": (1e-6, (-2, -1, 3, 2, 0, 0, 0)), "": (1.0, (0, 0, 0, 0, 0, 0, 0)),
    }  # fmt: skip

    def __array_finalize__(self, other):
        self.dim = getattr(other, "dim", None)

    def in_unit(self, unit):
        raise AssertionError("gives a text")

    @classmethod
    def made(cls, value, unit):
        scale, exponents = cls.UNITS[unit]
        found = np.asarray(np.asarray(value, float) * scale).view(cls)
        found.dim = SimpleNamespace(_dims=exponents)
        return found


class Unyt(np.ndarray):
    """Like an array of unyt: it converts to units whose names it knows, and nS is none."""

    def __array_finalize__(self, other):
        self.of = getattr(other, "of", None)

    def to_value(self, unit):
        if unit == "nS":
            raise RuntimeError("could not find unit symbol 'nS'")
        return pq.Quantity(np.asarray(self), self.of).rescale(unit).magnitude

    @classmethod
    def made(cls, value, unit):
        found = np.asarray(value, float).view(cls)
        found.of = unit
        return found


class Named(np.ndarray):
    """Like an xarray.DataArray, whose attributes name a unit."""

    @classmethod
    def made(cls, value, unit):
        found = np.asarray(value, float).view(cls)
        found.attrs = {"units": unit}
        return found


PACKAGES = {
    "quantities": pq.Quantity, "pint": PINT.Quantity, "astropy": au.Quantity, "Brian2": Brian.made, "unyt": Unyt.made,
}  # fmt: skip


@pytest.fixture
def net():
    net = bs.Network(dt=0.1)
    net.population("a", 3, EXP(), positions=bs.grid((3,), 10.0))
    net.population("g", 3, bs.models.iaf_cond_exp())
    return net


@pytest.fixture(params=PACKAGES)
def of(request):
    return PACKAGES[request.param]


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_parameters_and_start_values_are_rescaled(net, of):
    close(EXP(tau_m=of(20000.0, "us")).values["tau_m"], 20.0)
    close(EXP(tau_m=of([20000.0, 0.5e4], "us")).values["tau_m"], [20.0, 5.0])
    close(EXP(tau_m=[of(20000.0, "us"), of(0.01, "s")]).values["tau_m"], [20.0, 10.0])
    close(EXP(I_e=of(0.25, "nA")).values["I_e"], 250.0)
    close(net.population("p", 3, EXP(), V_m=of([-0.07] * 3, "V")).initial["V_m"], [-70.0] * 3)
    close(bs.receptors.AMPA(tau=of(0.005, "s"), E_rev=of(0.0, "V")).values["AMPA_tau"], 5.0)


def test_weights_delays_and_positions_are_rescaled(net, of):
    a, g = net.populations["a"], net.populations["g"]
    c = net.connect(a, a, bs.one_to_one(), weight=of([0.1, 0.2, 0.3], "nA"), delay=of(1500.0, "us"))
    close(c.weight, [100.0, 200.0, 300.0])
    close(c.delay, 1.5)
    c = net.connect(a, g, bs.all_to_all(), weight=of(np.full((3, 3), 0.002), "uS"), delay=of(np.ones((3, 3)), "s"))
    close(c.weight, [2.0] * 9)
    close(c.delay, [1000.0] * 9)
    close(bs.grid((2,), of(0.02, "mm")).place("", 2, 1, 1).xyz, [[-10.0], [10.0]])
    close(bs.given_positions(of([[1.0]], "mm")).xyz, [[1000.0]])
    close(bs.space.gaussian(of(0.1, "mm"), max_distance=of(0.3, "mm")).max_distance, 300.0)


def test_inputs_and_times_are_rescaled(net, of):
    a = net.populations["a"]
    close(net.poisson(a, rate=of(8.0, "kHz"), weight=of(0.0878, "nA")).rate, 8000.0)
    close(net.poisson(a, rate=of([8.0, 9.0, 1.0], "kHz"), weight=1.0).rate.values, [[8000.0, 9000.0, 1000.0]])
    c = net.current(a, of(0.1, "nA"), start=of(500.0, "us"), stop=of(0.001, "s"))
    close(c.amplitudes[:, 0], [100.0, 0.0])
    assert c.steps.tolist() == [5, 10]
    net.spike_source("s", of([0.1, 0.2], "s"))
    net.spike_source("t", [of([0.1, 0.2], "s"), of([300.0], "us"), [1.0]])
    assert [t.steps.tolist() for t in net.spike_trains] == [[999, 1999], [2, 9, 999, 1999]]
    assert net.record(a, "V_m", every=of(200.0, "us")).every == 2
    assert bs.Network(dt=of(100.0, "us")).dt == pytest.approx(0.1, rel=1e-15)
    close(bs.noise(of(0.1, "nA"), of(0.2, "nA"), of(0.001, "s")).std, 200.0)
    close(bs.stepped(of([0.1], "s"), [1.0]).times, [100.0])


REFUSED = {
    "another dimension": (lambda _, of: EXP(tau_m=of(1.0, "V")), "tau_m must be in ms"),
    "another in an array": (lambda _, of: EXP(tau_m=of([1.0, 2.0], "V")), "tau_m must be in ms"),
    "another in a list": (lambda _, of: EXP(tau_m=[of(1.0, "s"), of(2.0, "V")]), "tau_m must be in ms"),
    "no unit for a time": (lambda _, of: EXP(tau_m=of(1.0, "")), "tau_m must be in ms"),
    "a mean": (lambda _, of: bs.normal(of(1.0, "s"), 1.0), "mean takes plain numbers", "leave the unit out"),
    "a bound": (lambda _, of: bs.normal(1.0, 1.0).redrawn(min=of(1.0, "s")), "min takes plain numbers"),
    "a level": (lambda _, of: bs.stepped([0.0], of([1.0], "nA")), "values takes plain numbers"),
    "an offset": (lambda _, of: bs.sinusoidal(of(1.0, "kHz"), 1.0, 1.0), "offset takes plain numbers"),
    "a peak": (lambda _, of: of(1.0, "nA") * bs.space.gaussian(9.0), "factor takes plain numbers"),
    "a peak after": (lambda _, of: bs.space.gaussian(9.0) * of(1.0, "nA"), "factor takes plain numbers"),
    "a number of neurons": (lambda n, of: n.population("p", of(3.0, "s"), EXP()), "n must be a whole number"),
    "a seed": (lambda _, of: bs.Network(seed=of(3.0, "")), "seed must be a whole number"),
    "an in-degree": (lambda _, of: bs.fixed_indegree(of(3.0, "s")), "indegree must be a whole number"),
    "indices": (lambda n, of: n.connect(*[n.populations["a"]] * 2, (of([1], "s"), [1]), weight=1.0), "whole numbers"),
    "weights of two units": (
        lambda n, of: n.connect(n.populations["a"], list(n.populations.values()), bs.all_to_all(), weight=of(1, "nA")),
        "weight must be in pA or nS",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_converted_is_refused_in_one_line(what, net, of):
    if what == "a peak" and of is PINT.Quantity:
        pytest.skip("pint makes a quantity of it, which no weight can be")
    call, *fragments = REFUSED[what]
    with pytest.raises(bs.DescriptionError) as error:
        call(net, of)
    assert "\n" not in str(error.value)
    for fragment in fragments:
        assert fragment in str(error.value)


def test_a_profile_that_pint_made_a_quantity_of_is_no_weight(net):
    a = net.populations["a"]
    with pytest.raises(bs.DescriptionError, match=r"weight must be a number \(pA\)"):
        net.connect(a, a, bs.all_to_all(), weight=5.0 * PINT.pA * bs.space.gaussian(9.0))


def test_units_that_one_package_has(net):
    close(bs.receptors.NMDA(Mg=pq.Quantity(1.0, "mol/m**3")).values["NMDA_Mg"], 1.0)
    close(bs.receptors.NMDA(Mg=PINT("1200 umol/l")).values["NMDA_Mg"], 1.2)
    close(bs.receptors.NMDA(Mg=1.2 * au.mmol / au.l).values["NMDA_Mg"], 1.2)
    for quarter in (np.pi / 2 * pq.rad, np.pi / 2 * PINT.rad, np.pi / 2 * au.rad):
        close(bs.sinusoidal(0.0, 1.0, 1.0, quarter).phase, 90.0)
    close(bs.space.conduction(300.0 * pq.um / pq.ms).velocity, 0.3)
    close(bs.pairwise_bernoulli(10.0 * PINT.percent).p, 0.1)
    trains = [neo.SpikeTrain([0.1, 0.2] * pq.s, t_stop=1.0), neo.SpikeTrain([5.0] * pq.ms, t_stop=1000.0)]
    net.spike_source("neo", trains)
    net.spike_source("one", trains[0])
    assert [t.steps.tolist() for t in net.spike_trains] == [[49, 999, 1999], [999, 1999]]


def test_a_unit_that_is_named_beside_an_array_must_be_ours():
    close(EXP(tau_m=Named.made([20.0], "ms")).values["tau_m"], [20.0])
    with pytest.raises(bs.DescriptionError, match="tau_m must be in ms"):
        EXP(tau_m=Named.made([0.02], "s"))


def test_a_run_and_its_bins_are_rescaled(of):
    net = bs.Network()
    net.record(net.population("a", 1, EXP()))
    result = net.build(threads=1).run(of(0.01, "s"))
    assert result.stop_ms == 10.0
    assert result.spike_counts("a", of(2000.0, "us")).shape == (1, 5)

"""What cannot be simulated is refused as it is described or planned, in one line: the thing, the rule, the way out."""

import tracemalloc
from types import SimpleNamespace

import networks
import numpy as np
import pytest
import quantities as pq
import scipy.sparse as sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import biosnn as bs

EXP, DELTA = bs.models.iaf_psc_exp, bs.models.iaf_psc_delta
NAN, INF = float("nan"), float("inf")
ALL, ONE = bs.all_to_all(), bs.one_to_one()
MATRIX = sparse.csr_matrix(np.ones((10, 5)))
HUGE = np.broadcast_to(0.0, 10**12)
IMAGE = np.full((2, 5), 0.5)
VERBS = ("population", "spike_source", "poisson", "current", "step_current", "record")


def setting():
    """A network of two populations, 10 and 5 neurons, and two sources; its verbs; a population of another network."""
    net = bs.Network()
    a, b = net.population("a", 10, EXP()), net.population("b", 5, DELTA())
    source = net.spike_source("source", [[1.0], [2.0]])
    other = bs.Network().population("a", 10, EXP())

    def connect(rule=ALL, source=a, target=b, **how):
        return net.connect(source, target, rule, **{"weight": 1.0} | how)

    connect(name="taken")
    net.record(b, name="taken")
    verbs = {verb: getattr(net, verb) for verb in VERBS}
    return SimpleNamespace(net=net, a=a, b=b, source=source, other=other, connect=connect, **verbs)


PARAMETERS = {
    "tau_m in s": (lambda: EXP(tau_m=0.02), "iaf_psc_exp", "tau_m must be above 0.1 (ms)", "got 0.02"),
    "tau_syn in s": (lambda: EXP(tau_syn_in=0.005), "tau_syn_in must be above 0.02 (ms)", "got 0.005"),
    "V_th in V": (lambda: EXP(V_th=-0.055), "V_th must be in mV", "got -0.055", "did you mean -55?"),
    "E_L in V": (lambda: EXP(V_reset=[-70.0, -70.0], E_L=-0.07), "E_L must be in mV", "did you mean -70?"),
    "E_K in V": (lambda: bs.models.hh_psc_alpha(E_K=-0.077), "E_K must be in mV", "did you mean -77?"),
    "beyond float32": (lambda: bs.models.glif_psc(g=1e300), "glif_psc: g must be at most 1e+30 (nS) in size", "1e+300"),
    "receptor beyond float32": (lambda: bs.receptors.AMPA(E_rev=1e300), "receptor 'AMPA': E_rev must be at most 1e+30"),
    "magnesium beyond float32": (lambda: bs.receptors.NMDA(Mg=bs.normal(1e300, 1.0)), "Mg must be at most 1e+30 (mM)"),
    "all in V": (lambda: EXP(E_L=-0.07, V_reset=-0.07, V_th=-0.05), "V_th", "0.2 mV above V_reset", "are in mV"),
    "C_m in F": (lambda: EXP(C_m=250e-12), "C_m must be above 0.001 (pF)", "got 2.5e-10"),
    "I_e in A": (lambda: EXP(I_e=2e-10), "I_e must be in pA", "got 2e-10", "SI units"),
    "negative C_m": (lambda: EXP(C_m=-250.0), "C_m must be above", "got -250"),
    "negative tau_m": (lambda: EXP(tau_m=[10.0, -10.0]), "tau_m must be above", "got -10 (at index 1)"),
    "negative t_ref": (lambda: EXP(t_ref=-2.0), "t_ref must be at least 0 (ms)", "got -2"),
    "V_reset above V_th": (lambda: EXP(V_reset=-50.0), "V_reset must be below V_th (mV)", "-50.0 and -55.0"),
    "one V_reset of 99": (lambda: EXP(V_reset=[-70.0] * 98 + [-5.0], V_th=[-55.0] * 99), "V_reset must be below V_th"),
    "E_L without sign": (lambda: EXP(E_L=70.0), "E_L must be at most 20 mV above V_th", "got 70 and -55", "sign"),
    "V_th without sign": (lambda: EXP(V_th=-75.0), "V_reset must be below V_th", "-70.0 and -75.0"),
    "tail of tau_m": (lambda: EXP(tau_m=bs.normal(10.0, 5.0)), "tau_m must be above", "Normal(mean=10.0", ".redrawn("),
    "tau_m as text": (lambda: EXP(tau_m="10 ms"), "tau_m must be a number (ms)", "'10 ms'"),
    "ragged tau_m": (lambda: EXP(tau_m=[[1.0], [2.0, 3.0]]), "tau_m must be an array of numbers", "[2.0, 3.0]]"),
    "tau_m of two dimensions": (lambda: EXP(tau_m=np.ones((2, 2))), "tau_m must be one-dimensional", "(2, 2)"),
    "dt of zero": (lambda: bs.Network(dt=0.0), "Network", "dt must be above 0 (ms)", "got 0"),
    "negative dt": (lambda: bs.Network(dt=-0.1), "dt must be above 0 (ms)", "got -0.1"),
    "dt in s": (lambda: bs.Network(dt=1e-4), "dt must be at least 0.001 (ms)", "got 0.0001"),
    "dt of NaN": (lambda: bs.Network(dt=NAN), "dt must be finite (ms)", "got nan"),
    "negative seed": (lambda: bs.Network(seed=-1), "seed must be at least 0", "got -1"),
    "huge seed": (lambda: bs.Network(seed=2**63), "seed must be at most 9223372036854775807", "775808"),
    "grid of a matrix": (lambda: bs.grid(MATRIX, 1.0), "grid: shape must be one to three whole numbers"),
    "receptors of a matrix": (lambda: EXP(receptors=MATRIX.tocoo()), "receptors must be of biosnn.receptors"),
    "receptors without end": (lambda: EXP(receptors=HUGE), "receptors must be of biosnn.receptors"),
    "p above 1": (lambda: bs.pairwise_bernoulli(1.5), "pairwise_bernoulli", "p must be at most 1", "got 1.5"),
    "p below 0": (lambda: bs.pairwise_bernoulli(-0.1), "p must be at least 0", "got -0.1"),
    "p of NaN": (lambda: bs.pairwise_bernoulli(NAN), "p must be finite", "got nan"),
    "half an in-degree": (lambda: bs.fixed_indegree(0.5), "fixed_indegree", "must be a whole number", "got 0.5"),
    "negative std": (lambda: bs.normal(1.0, -1.0), "normal", "std must be at least 0", "got -1"),
    "empty uniform": (lambda: bs.uniform(2.0, 1.0), "uniform", "min must be below max", "2 and 1"),
    "negative beta": (lambda: bs.exponential(-1.0), "exponential", "beta must be above 0", "got -1"),
    "crossed bounds": (lambda: bs.normal(0.0, 1.0).clipped(1.0, 0.0), "clipped", "must be a number", "exceed max"),
    "nothing in bounds": (lambda: bs.uniform(0.0, 1.0).redrawn(min=2.0), "redrawn", "between 2 and inf", "widen"),
}  # fmt: skip

CALLS = {
    # populations
    "n of -1": (lambda x: x.population("c", -1, EXP()), "population 'c'", "n must be at least 0", "got -1"),
    "too many": (lambda x: x.population("c", 2**31, EXP()), "population 'c'", "at most 2,147,483,647 neurons"),
    "model not called": (lambda x: x.population("c", 5, EXP), "neuron model such as models.iaf_psc_exp()", "<class"),
    "name twice": (lambda x: x.population("a", 5, EXP()), "population 'a'", "of that name already", "another"),
    "name of neurons": (lambda x: x.spike_source("a", []), "source 'a'", "of that name already", "another"),
    "t_ref in s": (lambda x: x.population("c", 5, EXP(t_ref=0.002)), "t_ref = 0.002 ms", "dt = 0.1", "give it in ms"),
    "tau_m of 4 for 5": (lambda x: x.population("c", 5, EXP(tau_m=[10.0] * 4)), "'c'", "(5,)", "got (4,)"),
    "two lengths": (lambda x: x.population("c", 5, EXP(tau_m=[9.0] * 5, C_m=[9.0] * 4)), "lengths", "[4, 5]"),
    "V_m in V": (lambda x: x.population("c", 5, EXP(), V_m=bs.uniform(-0.07, -0.05)), "must be in mV", "mean -69.9"),
    "V_m of 2 for 5": (lambda x: x.population("c", 5, EXP(), V_m=[-65.0] * 2), "'c'", "V_m", "(5,)", "(2,)"),
    "V_m beyond float32": (lambda x: x.population("c", 2, EXP(), V_m=-1e300), "V_m must be at most", "got 1e+300"),
    "one V_m of NaN": (lambda x: x.population("c", 2, EXP(), V_m=[1.0, NAN]), "V_m must be finite", "at index 1"),
    # groups
    "group and array": (lambda x: x.a + np.ones(3), "'a'", "joined with groups only", "got array("),
    "group and masked array": (lambda x: x.a + np.ma.masked, "joined with groups only", "got masked"),
    "neuron twice": (lambda x: x.a + x.a[3], "neuron 3 of population 'a'", "twice", "disjoint"),
    "another network's target": (lambda x: x.connect(target=x.other), "population 'a' belongs to another network"),
    "input to a stranger": (lambda x: x.poisson(x.other, rate=1.0, weight=1.0), "'a'", "another network"),
    "recorder of a stranger": (lambda x: x.record(x.other), "record 'a'", "another network"),
    "target is a source": (lambda x: x.connect(target=[x.b, x.source]), "'source' is a spike source", "takes no input"),
    "noise to a source": (lambda x: x.poisson(x.source, rate=1.0, weight=1.0), "'source'", "takes no input"),
    "name of a group": (lambda x: x.connect(target="b"), "connect", "expected a population", "got 'b'"),
    # rules
    "rule not called": (lambda x: x.connect(bs.one_to_one), "connect 'a->b'", "expected a rule", "call it"),
    "dense matrix": (lambda x: x.connect(np.ones((10, 5))), "scipy.sparse matrix", "all_to_all(), weight=matrix"),
    "one to one of 10 and 5": (lambda x: x.connect(ONE), "connect 'a->b'", "one_to_one", "same size", "10 and 5"),
    "11 of 10 sources": (lambda x: x.connect(bs.fixed_indegree(11, allow_multapses=False)), "connect 'a->b'",
        "indegree = 11", "different sources", "there are 10", "allow_multapses=True"),
    "10 of 9 others": (lambda x: x.connect(bs.fixed_indegree(10, allow_multapses=False, allow_autapses=False),
        target=x.a), "indegree = 10", "there are 9", "lower it"),
    "6 of 5 targets": (lambda x: x.connect(bs.fixed_outdegree(6, allow_multapses=False)), "outdegree = 6", "are 5"),
    "51 of 50 pairs": (lambda x: x.connect(bs.fixed_total_number(51, allow_multapses=False)), "N = 51", "are 50"),
    "autapse alone": (lambda x: x.connect(bs.fixed_outdegree(1, allow_autapses=False), x.a[0], x.a[0]), "no targets",
        "allow_autapses=True"),
    "nobody to draw": (lambda x: x.connect(bs.fixed_indegree(1), x.a[:0]), "finds no sources", "one side is empty"),
    "connection twice": (lambda x: x.connect(name="taken"), "connect 'taken'", "that name already", "another"),
    # listed synapses
    "turned matrix": (lambda x: x.connect(MATRIX.T, weight=None), "(n_source, n_target) = (10, 5)", "got (5, 10)"),
    "weight and matrix": (lambda x: x.connect(MATRIX), "weights come from the matrix", "leave `weight` out"),
    "NaN in a matrix": (lambda x: x.connect(MATRIX * NAN, weight=None), "data of the matrix must be finite", "got nan"),
    "complex matrix": (lambda x: x.connect(MATRIX * 1j, weight=None), "data of the matrix must be an array of numbers"),
    "other entries": (lambda x: x.connect(MATRIX, weight=None, delay=sparse.eye(10, 5)), "delays must have an entry"),
    "source 10 of 10": (lambda x: x.connect(([0, 10], [0, 1])), "sources", "below 10", "got 10 (at index 1)"),
    "target -1": (lambda x: x.connect(([0, 1], [-1, 0])), "targets must be at least 0", "got -1 (at index 0)"),
    "3 sources, 2 targets": (lambda x: x.connect(([0, 1, 2], [0, 1])), "of one length", "3 and 2"),
    "3 weights for 2": (lambda x: x.connect(([0, 1], [0, 1]), weight=[1.0] * 3), "(2,)", "each synapse", "(3,)"),
    "weights turned": (lambda x: x.connect(weight=np.ones((5, 10))), "weight of all_to_all", "(10, 5)", "got (5, 10)"),
    "9 weights for 10": (lambda x: x.connect(ONE, target=x.a, weight=[1.0] * 9), "weight", "(10,)", "shape (9,)"),
    "weights of a draw": (lambda x: x.connect(bs.fixed_indegree(3), weight=[1.0] * 15), "weights as an array need",
        "not fixed_indegree", "give a distribution"),
    # weights
    "no weight": (lambda x: x.connect(weight=None), "connect 'a->b'", "weight is missing"),
    "weight of NaN": (lambda x: x.connect(weight=NAN), "connect 'a->b'", "weight must be finite (mV)", "got nan"),
    "one weight of NaN": (lambda x: x.connect(([3, 0], [0, 1]), weight=[NAN, 1.0]), "finite", "got nan (at index 0)"),
    "NaN in dense": (lambda x: x.connect(weight=np.diag([1.0] * 9 + [NAN])[:, 5:]), "got nan (at index 9, 4)"),
    "sparse weights": (lambda x: x.connect(weight=MATRIX), "weight must be an array of numbers", "Sparse Row"),
    "weight in A": (lambda x: x.connect(target=x.a, weight=87.8e-12), "must be in pA", "got 8.78e-11", "SI units"),
    "weight beyond float32": (lambda x: x.connect(weight=1e39), "weight must be at most 3e+38 mV", "got 1e+39"),
    "scipy without support": (lambda x: x.connect(weight=stats.norm(0, -1)), "got nan from scipy.stats.norm(0, -1)"),
    "infinite tail": (lambda x: x.connect(weight=bs.lognormal(1e3, 1.0)), "got inf from Lognormal", ".redrawn("),
    "scipy not frozen": (lambda x: x.connect(weight=stats.norm), "frozen distribution", "scipy.stats.norm(0.0, 1.0)"),
    "two in one": (lambda x: x.connect(weight=stats.norm([0, 1], 1)), "weight must be one frozen distribution"),
    # delays
    "delay of half a step": (lambda x: x.connect(delay=0.05), "'a->b'", "one step (dt = 0.1 ms)", "0.05", "lower dt"),
    "delay of nothing": (lambda x: x.connect(delay=0.0), "delay must be at least one step", "got 0 ms"),
    "negative delay": (lambda x: x.connect(delay=-1.5), "delay must be at least one step", "got -1.5 ms"),
    "delay of NaN": (lambda x: x.connect(delay=NAN), "delay must be finite (ms)", "got nan"),
    "endless delay": (lambda x: x.connect(delay=1e12), "delay must be at most 2**31 steps", "got 1e+12 ms"),
    "one delay of zero": (lambda x: x.connect(([0, 1], [0, 1]), delay=[1.0, 0.0]), "one step", "got 0 ms"),
    "one delay of NaN": (lambda x: x.connect(([1, 0], [0, 1]), delay=[1.0, NAN]), "delay", "got nan (at index 1)"),
    "most delays below": (lambda x: x.connect(delay=stats.norm(-1.0, 0.1)), "median delay", "one step", "got -1 ms"),
    # inputs
    "negative rate": (lambda x: x.poisson(x.a, rate=-1.0, weight=1.0), "poisson 'a'", "at least 0 (Hz)", "got -1"),
    "rate of NaN": (lambda x: x.poisson(x.a, rate=NAN, weight=1.0), "rate must be finite (Hz)", "got nan"),
    "rate beyond tables": (lambda x: x.poisson(x.a, rate=1e10, weight=1.0), "rate must be at most 1e+09 (Hz)"),
    "rate just beyond": (lambda x: x.poisson(x.a, rate=1e9 + 1, weight=1.0), "at most 1e+09 (Hz)", "got 1000000001.0"),
    "noise as a rate": (lambda x: x.poisson(x.a, rate=bs.noise(1.0, 1.0), weight=1.0), "rate must be", "got Noise("),
    "noise of NaN": (lambda x: x.poisson(x.a, rate=1.0, weight=NAN), "weight must be finite (pA)", "got nan"),
    "current of NaN": (lambda x: x.current(x.a, NAN), "current 'a'", "amplitude must be finite (pA)", "got nan"),
    "current of 9 for 10": (lambda x: x.current(x.a, [1.0] * 9), "amplitude", "(10,)", "(9,)"),
    "current before it starts": (lambda x: x.current(x.a, 1.0, start=5.0, stop=4.0), "increase", "4 ms after 5 ms"),
    "steps at one time": (lambda x: x.step_current(x.a, [0.0, 5.0, 5.0], [1.0] * 3), "increase", "5 ms after 5 ms"),
    "step between steps": (lambda x: x.step_current(x.a, [0.05], [1.0]), "multiples of dt = 0.1 ms", "got 0.05 ms"),
    "2 times, 3 levels": (lambda x: x.step_current(x.a, [0.0, 1.0], [1.0] * 3), "(2,) or (2, 10)", "got (3, 1)"),
    "one level of NaN": (lambda x: x.step_current(x.a, [0.0, 1.0], [1.0, NAN]), "amplitudes", "at index 1"),
    "a module": (lambda x: x.population("m", 1, bs.models.iaf_psc_exp(tau_m=np)), "tau_m must be a number (ms)"),
    "bytes that change": (lambda x: x.step_current(x.a, [0.0, 1.0], bytearray(b"1")), "amplitudes", "bytearray"),
    "more than memory": (
        lambda _: bs.models.iaf_psc_exp(tau_m=np.broadcast_to(1.0, (10**6, 10**6))), "tau_m", "(1000000, 1000000)",
    ),
    "threshold that is not used": (lambda x: x.net.frames(x.a, IMAGE, weight=1.0, threshold="x"), "threshold", "'x'"),
    "window that is not used": (lambda x: x.net.frame_source("f", IMAGE, every=1.0, coding="delta", window=0.25),
        "'f'", "window must be a multiple of dt"),
    "rate that is not used": (lambda x: x.net.frames(x.a, IMAGE, weight=1.0, every=1.0, coding="latency",
        max_rate=-1.0), "max_rate must be at least 0"),
    "spike between steps": (lambda x: x.spike_source("s", [0.15]), "'s'", "multiples of dt = 0.1 ms", "0.15 ms"),
    "spike too early": (lambda x: x.spike_source("s", [1.0, 0.0]), "times must be at least 0.1 ms", "at index 1"),
    "spike beyond counting": (lambda x: x.spike_source("s", [1e300]), "times must be at most 2**53 steps"),
    "sender 3 of 3": (lambda x: x.spike_source("s", [1.0], [3], n=3), "senders", "below 3", "got 3"),
    "sender between": (lambda x: x.spike_source("s", [1.0], [0.5]), "senders must be a list of whole numbers"),
    "trains and senders": (lambda x: x.spike_source("s", [[1.0]], [0]), "either a list of trains", "with senders"),
    "train and time": (lambda x: x.spike_source("s", [[1.0], 2.0]), "times[1] must be a list of times", "got 2.0"),
    # recorders
    "every between steps": (lambda x: x.record(x.a, "V_m", every=0.25), "every", "multiple of dt = 0.1", "0.25 ms"),
    "every without end": (lambda x: x.record(x.a, "V_m", every=1e300), "every must be at most 2**53 steps"),
    "spikes now and then": (lambda x: x.record(x.a, every=1.0), "whenever they happen", "for state variables"),
    "recorded twice": (lambda x: x.record(x.a, name="taken"), "record 'a'", "under 'taken' already", "give another"),
    "name of a number": (lambda x: x.record(x.a, name=5), "record", "non-empty string", "got 5"),
    # plan
    "no thread": (lambda x: x.net.build(threads=0), "threads must be at least 1", "got 0"),
    "a million threads": (lambda x: x.net.plan(threads=10**6), "threads must be at most 1024", "got 1000000"),
}  # fmt: skip

NAMES = {
    "capitals": (lambda _: EXP(v_th=-50.0), "iaf_psc_exp: unknown parameter 'v_th'", "did you mean 'V_th'?", "tau_m"),
    "long form": (lambda _: DELTA(tau_mem=20.0), "unknown parameter 'tau_mem'", "did you mean 'tau_m'?", "C_m, E_L"),
    "nothing like it": (lambda _: EXP(R=10.0), "unknown parameter 'R'; known: C_m, E_L"),
    "state": (lambda x: x.population("c", 5, EXP(), V=1.0), "population 'c'", "state variable 'V'", "I_syn_ex", "V_m"),
    "hidden state": (lambda x: x.population("c", 5, EXP(), refractory=1), "'refractory'; known: I_syn_ex"),
    "recordable": (lambda x: x.record(x.a, "I_syn"), "record 'a'", "variable 'I_syn'", "did you mean 'I_syn_"),
    "another model's": (lambda x: x.record([x.a, x.b], "I_syn_ex"), "record 'b'", "known: V_m, spikes"),
    "two at once": (lambda x: x.record(x.a, ["V_m", "spikes"]), "unknown variable ['V_m', 'spikes']", "known: "),
    "device": (lambda x: x.net.build(device="gpu"), "unknown device 'gpu'", "known: cpu, cuda"),
}  # fmt: skip


def refused(case, call, *arguments):
    """The error that a case of a table meets, after its message has been looked at."""
    with pytest.raises(bs.BioSNNError) as error:
        call(*arguments)
    message = str(error.value)
    assert "\n" not in message
    assert 20 < len(message) < 400
    for fragment in case:
        assert fragment in message
    return error.value


@pytest.mark.parametrize("case", PARAMETERS)
def test_bad_parameters_are_refused_where_they_are_given(case):
    call, *fragments = PARAMETERS[case]
    assert type(refused(fragments, call)) is bs.DescriptionError


@pytest.mark.parametrize("case", [*CALLS, *NAMES])
def test_bad_calls_are_refused_and_leave_the_network_as_it_was(case):
    call, *fragments = (CALLS | NAMES)[case]
    x = setting()
    before = str(x.net.plan(threads=1))
    assert type(refused(fragments, call, x)) is (bs.UnknownNameError if case in NAMES else bs.DescriptionError)
    assert str(x.net.plan(threads=1)) == before


@pytest.mark.parametrize(("times", "levels", "which"), [(HUGE, [1.0], "times"), ([0.0], HUGE, "amplitudes")])
def test_an_array_that_broadcasting_made_larger_than_the_memory_is_refused(times, levels, which):
    x = setting()
    error = refused([f"current 'a': no memory left for a copy of {which}", "(1000000000000,)"],
        lambda: x.step_current(x.a, times, levels))  # fmt: skip
    assert isinstance(error, bs.MemoryPlanError)


def test_what_is_unusual_but_possible_is_taken():
    x = setting()
    x.population("paced", 5, EXP(E_L=-49.0, V_th=-50.0), V_m=-75.0)  # rests above its threshold
    x.population("of no unit", 5, DELTA(E_L=0.0, V_reset=0.1, V_th=1.0, C_m=1.0, t_ref=0.0), V_m=bs.uniform(0.0, 0.1))
    x.population("silent", 0, DELTA(V_th=1e12, tau_m=1e12), V_m=[])
    x.connect(weight=0.0, delay=0.1)
    x.connect(weight=stats.cauchy(), delay=bs.normal(0.1, 0.1))
    x.poisson(x.a, rate=0.0, weight=0.0)
    x.step_current(x.a, [], [])
    x.record(x.a[:0], "V_m")
    assert "25 neurons" in str(x.net.plan())


@pytest.mark.parametrize(
    ("key", "fragments"),
    [
        (10, ["index 10", "10 neurons"]),
        ([0, -11], ["index -11", "10 neurons"]),
        (np.ones(9, bool), ["a mask of shape (10,)", "array([ True"]),
        (0.5, ["an integer, a slice", "got 0.5"]),
        (True, ["an integer, a slice", "got True"]),
        ("b", ["an integer, a slice", "got 'b'"]),
        ((0, 1, [2]), ["a list of integers", "got (0, 1, [2])"]),
    ],
    ids=str,
)
def test_neurons_that_a_group_does_not_have_are_an_index_error_too(key, fragments):
    assert isinstance(refused(["population 'a'", *fragments], setting().a.__getitem__, key), IndexError)


def test_a_device_that_is_not_there_is_refused_before_anything_is_drawn(monkeypatch):
    monkeypatch.setattr("biosnn.engine.building.build.build", lambda *_: pytest.fail("built"))
    error = refused(["device 'cuda'", "not part of this version", "device='cpu'"], setting().net.build, "cuda")
    assert isinstance(error, bs.DeviceError)


@pytest.fixture(scope="module")
def sim():
    net = networks.recurrent()
    net.record(net.populations["neurons"], name="spikes")
    return net.build(threads=1)


QUESTIONS = {
    "backwards": (lambda sim: sim.run(-1.0), "run: duration must be at least 0 ms", "got -1 ms"),
    "between steps": (lambda sim: sim.run(0.25), "duration must be a multiple of dt = 0.1 ms", "got 0.25 ms"),
    "for NaN": (lambda sim: sim.run(NAN), "duration must be finite (ms)", "got nan"),
    "for ever": (lambda sim: sim.run(1e300), "duration must be at most 2**53 steps", "got 1e+300 ms"),
    "for a text": (lambda sim: sim.run("1 s"), "duration must be a number (ms)", "'1 s'"),
    "synapses of nobody": (lambda sim: sim.synapses("nobody"), "unknown population 'nobody'", "known: neurons"),
    "weights of anybody": (lambda sim: sim.weights(None, "neurons"), "weights", "unknown population None"),
    "weights by capitals": (lambda sim: sim.weights("neurons", "Neurons"), "'Neurons'", "did you mean 'neurons'?"),
    "not recorded": (lambda sim: sim.run(1.0).spike_counts("neurons", 0.5), "group 'neurons'", "known: spikes"),
    "uneven bins": (lambda sim: sim.run(1.0).spike_counts("spikes", 0.25), "must be a multiple of dt", "0.25 ms"),
    "too wide a bin": (lambda sim: sim.run(1.0).spike_counts("spikes", 5.0), "bin_ms = 5", "longer than the run"),
}  # fmt: skip


@pytest.mark.parametrize("case", QUESTIONS)
def test_bad_questions_to_a_simulation_are_refused(case, sim):
    call, *fragments = QUESTIONS[case]
    refused(fragments, call, sim)


def many_synapses(net):
    a = net.population("a", 10_000, EXP())
    net.connect(a, a, bs.fixed_indegree(2000), weight=1.0)
    return ["a->a: rows, packed", "20,000,000 synapses x 4 B", "76.3 MiB"]


def a_billion_neurons(net):
    a = net.population("a", 2**30, EXP())
    net.connect(a, a, bs.fixed_indegree(1), weight=1.0)
    return ["GiB", "neurons"]


@pytest.mark.parametrize("describe", [many_synapses, a_billion_neurons], ids=lambda f: f.__name__)
def test_a_plan_beyond_free_memory_is_refused_before_anything_is_allocated(describe, monkeypatch):
    monkeypatch.setattr("biosnn.engine.planning.plan.free_memory", lambda: 70 * 2**20)
    monkeypatch.setattr("biosnn.engine.building.build.build", lambda *_: pytest.fail("built"))
    tracemalloc.start()
    try:
        net = bs.Network()
        fragments = describe(net)
        assert "total" in str(net.plan())  # a plan may always be looked at
        error = refused(["plan: ", "needed, 70.0 MiB of memory free", "use fewer neurons", *fragments], net.build)
        assert isinstance(error, bs.MemoryPlanError)
        assert isinstance(error, MemoryError)
        assert tracemalloc.get_traced_memory()[1] < 30 * 2**20
    finally:
        tracemalloc.stop()


# Anything at all, anywhere

ODD = [
    object(), EXP, stats.norm, stats.norm(1.0, 1.0), stats.norm([1.0, 2.0]), stats.binom(9, 0.5), MATRIX, 10**400,
    bs.normal(1.0, 0.1), bs.exponential(1e9), np.ones((2, 2)), np.array(["x"]), np.array(3), np.ma.masked,
    np.ma.array([1.0, 2.0], mask=[False, True]), np.complex64(1.0), np.array([1.0 + 0j, 2.0]), np.timedelta64(1, "ms"),
    np.array([1, 2], "m8[ms]"), np.float32(0.1), np.array(["1", 2.0], object), pq.Quantity(1.0, "s"), [pq.ms, pq.mV],
]  # fmt: skip
PLAIN = [st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(max_size=5), st.binary()]
VALUES = st.recursive(
    st.one_of(*PLAIN, st.sampled_from(range(len(ODD))).map(ODD.__getitem__)),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.tuples(inner, inner), st.dictionaries(st.text(), inner)),
    max_leaves=6,
)
PLACES = [
    lambda _, v: bs.Network(dt=v), lambda _, v: bs.Network(seed=v), lambda _, v: bs.pairwise_bernoulli(v),
    lambda _, v: bs.normal(0.0, v), lambda _, v: bs.uniform(v, 1.0), lambda _, v: bs.normal(0.0, 1.0).redrawn(max=v),
    lambda x, v: x.population(v, 5, EXP()), lambda x, v: x.population("c", v, EXP()),
    lambda x, v: x.population("c", 5, v), lambda x, v: x.population("c", 5, EXP(tau_m=v)),
    lambda x, v: x.population("c", 5, EXP(t_ref=v)), lambda x, v: x.population("c", 5, EXP(V_th=v)),
    lambda x, v: x.population("c", 5, DELTA(), V_m=v), lambda x, v: x.spike_source("s", v),
    lambda x, v: x.spike_source("s", [1.0, 2.0], v), lambda x, v: x.spike_source("s", [1.0, 2.0], n=v),
    lambda x, v: x.connect(source=v), lambda x, v: x.connect(v), lambda x, v: x.connect((v, [0, 1])),
    lambda x, v: x.connect(bs.fixed_indegree(v)), lambda x, v: x.connect(weight=v),
    lambda x, v: x.connect(([0, 1], [0, 1]), weight=v), lambda x, v: x.connect(delay=v),
    lambda x, v: x.connect(name=v), lambda x, v: x.poisson(x.a, rate=v, weight=1.0),
    lambda x, v: x.poisson(x.a, rate=1.0, weight=v), lambda x, v: x.current(x.a, v),
    lambda x, v: x.current(x.a, 1.0, start=v), lambda x, v: x.step_current(x.a, v, [1.0, 2.0]),
    lambda x, v: x.step_current(x.a, [1.0, 2.0], v), lambda x, v: x.record(x.a, v),
    lambda x, v: x.record(x.a, "V_m", every=v, name="c"), lambda x, v: x.a[v], lambda x, v: x.net.plan(threads=v),
]  # fmt: skip


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(st.sampled_from(PLACES), VALUES)
def test_whatever_is_given_is_taken_or_refused_in_one_line(place, value):
    x = setting()
    try:
        place(x, value)
    except bs.BioSNNError as error:
        message = str(error)
    else:
        message = ""
    assert "\n" not in message
    assert str(x.net.plan(threads=1))

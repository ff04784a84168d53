"""Random networks by a seed, to be run by any way and compared with the oracle of naive.py: spikes and V_m to the bit.

A `Kind` is what a driver depends on: networks of one kind share one, whatever their sizes, rules and numbers.
"""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass, field

import naive
import networks
import numpy as np
import travel
from scipy import sparse, stats

import biosnn as bs

DT = 0.1
STEPS = 240
SIZES = (1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65)
V_TH = 15.0  # mV above rest, which is 0: what is recorded is what is stored


@dataclass(frozen=True)
class Kind:
    """What a driver depends on."""

    models: tuple[str, ...]  # of MODELS
    way: dict = field(hash=False)
    wide: bool = False  # some weights of heavy tails, which keep float32
    poisson: bool = False
    currents: bool = False
    varied: bool = False  # parameters differ between the neurons of a population
    shortest: int = 1  # delay, in steps
    longest: int = 30
    parallel: bool = False


def _two(**values):
    return bs.models.iaf_psc_exp(tau_syn_ex=1.5, tau_syn_in=6.0, **values)


def _one(**values):
    return bs.models.iaf_psc_exp(tau_syn_ex=2.0, tau_syn_in=2.0, **values)


def _bank(**values):
    exp = bs.receptors.exp
    given = [exp("fast", tau=0.7), exp("in_slow", tau=8.0), exp("slow", tau=8.0)]
    return bs.models.iaf_psc_exp(receptors=given, **values)


MODELS = {"two": _two, "one": _one, "bank": _bank, "delta": bs.models.iaf_psc_delta}
RECEPTORS = {"two": ("ex", "in"), "one": ("ex", "in"), "bank": ("fast", "in_slow", "slow"), "delta": ("delta",)}


# A handful for the test suite: each backend, layout and ring once or twice.
FEW = (
    Kind(("two",), travel.ways("event_driven", "auto", "spike_history"), poisson=True, currents=True),
    Kind(("two",), travel.ways("event_driven", "auto", "dense"), wide=True, longest=200),
    Kind(("bank",), travel.ways("event_driven", "auto", "event_bucketed"), poisson=True, longest=100),
    Kind(("delta",), travel.ways("spmm_fused", "csr", "spike_history"), varied=True),
    Kind(("two", "delta"), travel.ways("spmm_fused", "coo", "dense"), shortest=4),
    Kind(("one",), travel.ways("auto", "csr", "event_bucketed"), wide=True),
)
MIXTURES = (("two",), ("bank",), ("delta",), ("one",), ("two", "delta"), ("bank", "one", "delta"), ("two", "one"))


def kinds() -> list[Kind]:
    """As many for the long mode of benchmarks/fuzz.py: each way beside each mixture of models."""
    rng = np.random.default_rng(1)
    found = []
    for models, way in itertools.product(MIXTURES, [*travel.EVERY, {}]):
        wide, poisson, currents, varied, parallel = (rng.random(5) < (0.3, 0.5, 0.3, 0.3, 0.2)).tolist()
        longest = int(rng.choice([1, 30, 200, 400]))
        shortest = min(int(rng.choice([1, 1, 2, 7])), longest)
        found.append(Kind(models, way, wide, poisson, currents, varied, shortest, longest, parallel))
    return found


class _Maker:
    def __init__(self, seed, kind):
        self.rng, self.kind = np.random.default_rng(seed), kind
        self.net = bs.Network(dt=DT, seed=int(self.rng.integers(2**63)))
        self.asked = []  # connections, and what they were made of
        self.neurons = [self._population(f"{m}{k}", m, k) for m in kind.models for k in range(self.rng.integers(1, 3))]
        trains = [np.unique(self.rng.integers(1, STEPS, self.rng.integers(0, 20))) for _ in range(self._size())]
        self.sources = self.net.spike_source("sources", [t * DT for t in trains])
        self._same_types()
        for _ in range(self.rng.integers(1, 8)):
            self._connect()
        if kind.poisson:
            self._poisson()
        if kind.currents:
            self._current(self.neurons[0])
            self._current(self._group(self.neurons))
        self.net.record(self.neurons, name="all")
        self.net.record(self.neurons, "V_m", name="all")
        self.net.record(self.neurons[0][:: -int(self.rng.integers(1, 4))], "V_m", every=3 * DT, name="some")

    def _size(self):
        return int(self.rng.choice(SIZES)) if self.rng.random() < 0.7 else int(self.rng.integers(1, 300))

    def _population(self, name, model, k):
        rng, n = self.rng, self._size()
        if k and rng.random() < 0.1:
            n = 0
        values = {
            "E_L": 0.0, "V_reset": -float(rng.integers(0, 5)), "V_th": V_TH, "t_ref": int(rng.integers(0, 25)) * DT,
            "tau_m": rng.uniform(5.0, 20.0), "C_m": rng.uniform(100.0, 300.0), "I_e": rng.uniform(-100.0, 600.0),
        }  # fmt: skip
        if self.kind.varied:
            values |= {"tau_m": rng.uniform(5.0, 20.0, n), "I_e": rng.uniform(-100.0, 600.0, n)}
        return self.net.population(name, n, MODELS[model](**values), V_m=rng.uniform(-5.0, V_TH + 1.0, n))

    def _same_types(self):
        """No synapse, but the tables that any network of the kind has, of the same types."""
        still = self.net.population("still", 1, MODELS[self.kind.models[0]]())  # no other weights make its own float32
        delay = bs.uniform((self.kind.shortest - 0.4) * DT, (self.kind.longest + 0.4) * DT)
        weights = {still: 1.0} | ({self.neurons[0]: stats.t(1.2, scale=30.0)} if self.kind.wide else {})
        for target, weight in weights.items():
            self.net.connect(self.sources[:0], target, bs.fixed_outdegree(300), weight=weight, delay=delay)

    def _group(self, populations):
        """Some neurons of one population or several, in some order; perhaps none."""
        rng = self.rng
        some = [populations[k] for k in rng.permutation(len(populations))[: rng.integers(1, 3)]]
        parts = [self._part(p) for p in some]
        group = parts[0] + parts[1] if len(parts) == 2 and rng.random() < 0.7 else parts[0]
        if rng.random() < 0.1 and len(group):
            group = group[rng.permutation(len(group))]
        return [group] if rng.random() < 0.1 else group

    def _part(self, population):
        rng, n = self.rng, len(population)
        a, b = np.sort(rng.integers(0, n + 1, 2)).tolist()
        step = int(rng.integers(1, 5))
        how = rng.integers(8)
        if how == 0:
            return population[a:b]
        if how == 1:
            return population[a:b:step]
        if how == 2:
            return population[::-step]
        if how == 3:
            return population[rng.random(n) < 0.5]
        if how == 4:
            return population[rng.permutation(n)[: rng.integers(0, n + 1)]]
        if how == 5:
            return population[-step:] + population[:-step]
        return population

    def _connect(self):
        """One connection; none where its rule cannot be met, as far as BioSNN says so."""
        rng = self.rng
        source = self._group([*self.neurons, self.sources])
        target = source if rng.random() < 0.2 and self._takes_input(source) else self._group(self.neurons)
        n, m = (sum(map(len, g)) if isinstance(g, list) else len(g) for g in (source, target))
        receptor = self._receptor(target)
        name = f"c{len(self.net.connections)}"
        with contextlib.suppress(bs.DescriptionError):
            asked = self._synapses(n, m, self._scale(target))
            rule, weight, delay = asked
            c = self.net.connect(source, target, rule, weight=weight, delay=delay, receptor=receptor, name=name)
            self.asked.append((c, *asked))

    def _pieces(self, group):
        return [p for g in (group if isinstance(group, list) else [group]) for p, _ in g.pieces]

    def _takes_input(self, group):
        return all(p.model is not None for p in self._pieces(group))

    def _scale(self, target):
        names = {p.name.rstrip("0123456789") for p in self._pieces(target)}
        return 8.0 if len(names) > 1 and "delta" in names else 1.0 if names == {"delta"} else 150.0

    def _receptor(self, target):
        """None, or one that all of the target have."""
        sets = [set(RECEPTORS[p.name.rstrip("0123456789")]) for p in self._pieces(target)]
        common = sorted(set.intersection(*sets)) if sets else []
        return str(self.rng.choice(common)) if common and self.rng.random() < 0.3 else None

    def _synapses(self, n, m, scale):
        """A rule, or what stands in its place; weights and delays."""
        rng = self.rng
        autapses, multapses = bool(rng.random() < 0.5), bool(rng.random() < 0.5)
        weight, delay = self._weight(scale), self._delay()
        how = rng.integers(10)
        if how == 0:
            p = float(rng.choice([0.0, 0.1, 0.5, 1.0]))
            return bs.pairwise_bernoulli(p, allow_autapses=autapses), weight, delay
        if how <= 2:
            rule = bs.fixed_indegree if how == 1 else bs.fixed_outdegree
            most = n if how == 1 else m
            k = int(rng.integers(0, max(most + 1, 1))) if rng.random() < 0.5 else int(rng.integers(0, 12))
            return rule(k, allow_autapses=autapses, allow_multapses=multapses), weight, delay
        if how == 3:
            number = int(rng.integers(0, max(min(n * m, 3000), 1)))
            return bs.fixed_total_number(number, allow_autapses=autapses, allow_multapses=multapses), weight, delay
        if how == 4:
            return bs.all_to_all(allow_autapses=autapses), weight, delay
        if how == 5:
            values = [self._array(n * m, scale).reshape(n, m), self._steps(n * m).reshape(n, m) * DT]
            return bs.all_to_all(allow_autapses=autapses), values[0], values[1] if rng.random() < 0.5 else delay
        if how == 6:
            return bs.one_to_one(), weight, delay
        if how == 7:
            return bs.one_to_one(), self._array(n, scale), self._steps(n) * DT
        if how == 8 and n and m:
            k = int(rng.integers(0, 200))
            pairs = rng.integers(0, n, k), rng.integers(0, m, k)
            return pairs, self._array(k, scale), self._steps(k) * DT
        matrix = sparse.random(n, m, 0.3, format=str(rng.choice(["csr", "csc", "coo"])), random_state=rng)
        matrix.data = self._array(matrix.nnz, scale)
        delays = matrix.copy()
        delays.data = self._steps(matrix.nnz) * DT
        return matrix, None, delays if rng.random() < 0.5 else delay

    def _weight(self, scale):
        rng = self.rng
        if self.kind.wide and rng.random() < 0.3:
            return stats.t(1.2, scale=0.3 * scale)
        choices = [
            scale, -2.0 * scale, rng.uniform(0.2, 2.0) * scale, bs.normal(0.4 * scale, scale),
            bs.uniform(-2.0 * scale, 2.0 * scale), 0.0,
        ]  # fmt: skip
        return choices[rng.integers(len(choices))]

    def _array(self, n, scale):
        """Weights one by one; of whole numbers now and then."""
        found = self.rng.uniform(-1.0, 2.0, n) * scale
        return np.rint(found) if self.rng.random() < 0.3 else found

    def _delay(self):
        low, high = self.kind.shortest, self.kind.longest
        if self.rng.random() < 0.5:
            return int(self.rng.integers(low, high + 1)) * DT
        return bs.uniform((low - 0.4) * DT, (high + 0.4) * DT)

    def _steps(self, n):
        return self.rng.integers(self.kind.shortest, self.kind.longest + 1, n)

    def _poisson(self):
        rng = self.rng
        self.net.poisson(self.neurons[0], rate=rng.uniform(0.0, 9000.0), weight=0.2 * self._scale(self.neurons[0]))
        for _ in range(rng.integers(0, 3)):
            target = self._group(self.neurons)
            weight = float(rng.choice([-0.3, 0.1, 0.5])) * self._scale(target)
            rate = float(rng.choice([0.0, 800.0, 49_000.0, 51_000.0, 90_000.0]))
            self.net.poisson(target, rate=rate, weight=weight, receptor=self._receptor(target))

    def _current(self, target):
        rng = self.rng
        n = sum(map(len, target)) if isinstance(target, list) else len(target)
        times = np.sort(rng.permutation(STEPS)[: rng.integers(1, 6)]) * DT
        shape = (times.size, n) if rng.random() < 0.5 else times.size
        self.net.step_current(target, times, rng.uniform(-300.0, 500.0, shape))


def check(seed: int, kind: Kind) -> None:
    """Run a random network, in uneven pieces on some partitions, and compare it with the oracle. Raises AssertionError.

    A ring that may not grow as far as it would have to ends the run: what was recorded until then is compared.
    """
    rng = np.random.default_rng([seed, 1])
    maker = _Maker(seed, kind)
    net, listed = maker.net, networks.drawn(maker.net)
    check_synapses(maker, listed)
    expected = naive.run(net, listed, STEPS)
    threads = int(rng.integers(1, 8))
    way = kind.way | _room(net, threads, kind.way, rng)
    sim = net.build(threads=max(threads, 2), **way) if kind.parallel else networks.serial(net, threads, **way)
    results = []
    for steps in _pieces(rng):
        if sim.plan.ways.backend == "auto":
            travel.want(sim, product=rng.random() < 0.5)
        try:
            results.append(sim.run(steps * DT))
        except bs.RingFullError as error:
            results.append(error.result)
            break
    assert sim.step == STEPS or "ring_capacity_max" in way
    _compare(net, results, expected, sim.step)


def _room(net, threads, way, rng):
    """Now and then, a limit for a ring of events: the least that it can do with, or some more."""
    if way.get("ring_strategy") != "event_bucketed" or rng.random() < 0.5:
        return {}
    ways = net.plan(threads=threads, **way).ways
    return {"ring_capacity_max": int(ways.capacity * max(threads, 2) * rng.choice([0.25, 1.0, 3.0]))}


def _pieces(rng):
    """Lengths that add up to STEPS."""
    cuts = np.unique(rng.integers(1, STEPS, rng.integers(0, 12)))
    return np.diff([0, *cuts, STEPS]).tolist()


def check_synapses(maker: _Maker, sim) -> None:
    """What was asked for is there: the number of synapses, and each pair that a rule or a list fixes.

    Of pairs that stand alone, also delay, receptor, and weight to a thousandth of the largest.
    """
    first, n_ids = sim.plan.layout.first_of(), sim.plan.layout.n_ids
    found = sim.synapses()
    there = found.sources * n_ids + found.targets  # sorted
    fixed, number = [np.empty(0, np.int64)], 0
    for c, rule, weight, delay in maker.asked:
        ids = c.source.ids(first), c.target.ids(first)
        pairs = _pairs(ids, rule, weight, delay)
        if pairs is None:
            number += _number(ids, rule)
            continue
        source, target, weight, delay = pairs
        codes = source * n_ids + target
        fixed.append(codes)
        number += codes.size
        at = np.searchsorted(there, codes)
        alone = np.searchsorted(there, codes, side="right") == at + 1
        at = at[alone]
        if not isinstance(weight, bs.distributions.Distribution) and not hasattr(weight, "ppf"):
            weight = np.broadcast_to(weight, codes.size)
            tolerance = 1e-3 * np.abs(weight).max(initial=0.0)
            np.testing.assert_allclose(found.weights[at], weight[alone], rtol=0, atol=tolerance, err_msg=c.name)
        if not isinstance(delay, bs.distributions.Distribution):
            steps = np.rint(np.broadcast_to(delay, codes.size)[alone] / DT)
            np.testing.assert_array_equal(np.rint(found.delays[at] / DT), steps, err_msg=c.name)
    codes, counts = np.unique(np.concatenate(fixed), return_counts=True)
    have = np.searchsorted(there, codes, side="right") - np.searchsorted(there, codes)
    assert (have >= counts).all(), "listed synapses are missing"
    assert np.isnan(number) or there.size == number


def _pairs(ids, rule, weight, delay):
    """Source and target ids, weight and delay, where all of them are fixed; else None."""
    source, target = ids
    if isinstance(rule, tuple):
        return source[rule[0]], target[rule[1]], weight, delay
    if sparse.issparse(rule):
        entries = rule.tocoo()
        delay = delay.tocoo().data if sparse.issparse(delay) else delay
        return source[entries.coords[0]], target[entries.coords[1]], entries.data, delay
    if rule.name == "one_to_one":
        return source, target, weight, delay
    if rule.name == "all_to_all":
        i, j = np.indices((source.size, target.size))
        keep = (source[i] != target[j]) | rule.allow_autapses
        weight, delay = (x[keep] if isinstance(x, np.ndarray) else x for x in (weight, delay))
        return source[i[keep]], target[j[keep]], weight, delay
    return None


def _number(ids, rule):
    """How many synapses a rule makes; NaN where that is left to chance."""
    if rule.name == "pairwise_bernoulli":
        return np.nan
    if rule.name == "fixed_total_number":
        return rule.N
    return rule.indegree * ids[1].size if rule.name == "fixed_indegree" else rule.outdegree * ids[0].size


def _compare(net, results, expected, n_steps):
    sizes = itertools.accumulate([0, *(p.n for p in net.populations.values())])
    first = dict(zip(net.populations, sizes, strict=False))
    ids, some = (recorder.target.ids(first) for recorder in net.recorders[-2:])
    all_of = [r.spikes["all"] for r in results]
    spikes = np.column_stack([
        np.concatenate([np.rint(found.times / DT).astype(np.int64) - 1 for found in all_of]),
        np.concatenate([found.senders for found in all_of]),
    ])  # fmt: skip
    if len({p.name for p, _ in net.recorders[-2].target.pieces}) > 1:  # senders are numbered by the group
        spikes[:, 1] = ids[spikes[:, 1]]
    np.testing.assert_array_equal(spikes, expected.pairs[expected.steps < n_steps], err_msg="spikes")
    for name, columns, every in (("all", ids, 1), ("some", some, 3)):
        found = np.concatenate([r.samples[name]["V_m"].values for r in results])
        np.testing.assert_array_equal(found, expected.V_m[every - 1 : n_steps : every, columns], err_msg=f"V_m, {name}")
    if n_steps == STEPS:
        assert sum(r.synaptic_events for r in results) == expected.events

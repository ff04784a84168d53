"""The oracle: a network simulated step by step in plain NumPy, as slow and as plain as it is described.

It is given what a user sees, namely the description, the synapses as they are read back and the units in which the
plan says that inputs are counted, and shares no code with the engine beside that. Arithmetic is that of the
documentation: membranes in float32 and in mV above E_L; arrivals at a receptor summed as whole numbers of one unit;
propagators computed in float64, then rounded once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from scipy import stats

from biosnn.address.stores import WIDE
from biosnn.engine.running.read_back import read_table

F = np.float32
MASK = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
POISSON_STREAM = 5


@dataclass
class Trace:
    """What happened: spikes by (step, id), and per step and neuron V_m (mV above E_L), I_syn (pA, by
    receptor) and the sum of all weights arriving.
    """

    steps: np.ndarray
    ids: np.ndarray
    V_m: np.ndarray
    I_syn: np.ndarray
    inputs: np.ndarray
    events: int

    @property
    def pairs(self):
        """Spikes of neurons as an array (n, 2) of step and id, sorted."""
        return np.column_stack([self.steps, self.ids])


def run(net, sim, n_steps):
    """Simulate `net` for n_steps; `sim`, which has not run yet, only lends its synapses and units."""
    return _Oracle(net, sim).run(n_steps)


class _Oracle:
    def __init__(self, net, sim):
        self.net, self.dt = net, net.dt
        self.populations = list(net.populations.values())
        self.first = dict(zip(net.populations, np.cumsum([0, *(p.n for p in self.populations)]).tolist(), strict=False))
        self.n = sum(p.n for p in self.populations)
        self.units, self.wide_scale = sim.plan.precision.units, sim.plan.precision.wide_scale
        self.neurons = [_Neurons(self, a, p) for a, p in enumerate(self.populations) if p.model is not None]
        self.named = {x.name: x for x in self.neurons}
        self.n_receptors = max([2, *(x.n_receptors for x in self.neurons)])
        self.rows = self._rows(sim)
        self.poisson_wide = [feed.wide for feed in sim.plan.precision.poisson]
        # (receptor, id): whole numbers of the receptor's unit, and of 1/wide_scale
        self.due = defaultdict(self._nothing)
        self.due_wide = defaultdict(self._nothing)
        self.arrived = defaultdict(lambda: np.zeros(self.n))
        self.n_sent = 0

    def run(self, n_steps):
        fired, V_m, inputs = [], np.zeros((n_steps, self.n), F), np.zeros((n_steps, self.n))
        I_syn = np.zeros((n_steps, self.n_receptors, self.n), F)
        for step in range(n_steps):
            self._poisson(step)
            arrivals, wide = (book.pop(step, self._nothing()) for book in (self.due, self.due_wide))
            inputs[step] = self.arrived.pop(step, 0.0)
            now = []
            for x in self.neurons:
                here = slice(x.first, x.first + x.n)
                spiked = x.update(arrivals[:, here], wide[:, here], self._current(x, step))
                V_m[step, here] = x.v
                for r, current in enumerate(x.current):
                    I_syn[step, r, here] = current
                now += (x.first + np.flatnonzero(spiked)).tolist()
            fired += [(step, i) for i in sorted(now)]
            for i in now + self._given(step):
                self._send(step, i)
        pairs = np.array(fired, np.int64).reshape(-1, 2)
        return Trace(pairs[:, 0], pairs[:, 1], V_m, I_syn, inputs, self.n_sent)

    def _nothing(self):
        return np.zeros((self.n_receptors, self.n), np.int64)

    def _rows(self, sim):
        """For each source: delay in steps, target, receptor, whole number, is it wide?, weight of every synapse."""
        parts = []
        built, first = sim._built, sim.plan.layout.first_of()
        tables = [(backend, table) for backend in built.plan.backends for table in backend.trip.tables]
        for backend, table in tables:  # of float32 weights, or of 16-bit ones
            wide = table.store is WIDE
            sources, targets, *others = read_table(built, backend, table, 0, sim.plan.layout.n_ids)
            for source in self.populations:
                for target in self.neurons:
                    i, j = sources - first[source.name], targets - first[target.name]
                    mine = (i >= 0) & (i < source.n) & (j >= 0) & (j < target.n)
                    weights, delays, slots = (x[mine] for x in others)
                    receptor = np.minimum(slots, target.n_receptors - 1)  # alike, they are one
                    parts.append((
                        self.first[source.name] + i[mine], np.rint(delays / self.dt).astype(np.int64),
                        target.first + j[mine], receptor, self._counted(target, receptor, weights, wide),
                        np.full(mine.sum(), wide), weights,
                    ))  # fmt: skip
        source, *columns = (np.concatenate(column) for column in zip(*parts, strict=True)) if parts else [np.empty(0)]
        order = np.argsort(source, kind="stable")
        ids, first = np.unique(source[order], return_index=True)
        split = [np.split(column[order], first[1:]) for column in columns]
        return {int(i): [column[k] for column in split] for k, i in enumerate(ids)}

    def _counted(self, target, receptor, weight, wide):
        """The whole numbers that weights are summed as."""
        if wide:
            return np.trunc(F32(weight).astype(np.float64) * self.wide_scale).astype(np.int64)
        units = np.array([self.units[(target.number, r)] for r in range(target.n_receptors)])
        return np.rint(weight / units[receptor]).astype(np.int64)

    def _send(self, step, i):
        if i not in self.rows:
            return
        delay, target, receptor, number, wide, weight = self.rows[i]
        for d in np.unique(delay):
            for book, kind in ((self.due, ~wide), (self.due_wide, wide)):
                s = (delay == d) & kind
                if s.any():
                    np.add.at(book[step + d], (receptor[s], target[s]), number[s])
            s = delay == d
            np.add.at(self.arrived[step + d], target[s], weight[s])
            self.n_sent += int(s.sum())

    def _given(self, step):
        """Sources that fire at the end of this step, at (step + 1) dt."""
        return [
            self.first[t.population.name] + int(i)
            for t in self.net.spike_trains
            for s, i in zip(t.steps, t.senders, strict=True)
            if s == step
        ]

    def _poisson(self, step):
        for source, wide in zip(self.net.poisson_inputs, self.poisson_wide, strict=True):
            for population, index in source.target.pieces:
                ids = self.first[population.name] + np.asarray(index, np.int64)
                counts = poisson_counts(self.net.seed, source.index, step, ids, source.rate * self.dt * 1e-3)
                target = self.named[population.name]
                receptor = target.receptor(source.receptor, source.weight)
                if wide:
                    self.due_wide[step][receptor, ids] += counts * round(source.weight * self.wide_scale)
                else:
                    self.due[step][receptor, ids] += counts * self._counted(target, receptor, source.weight, False)
                self.arrived[step][ids] += counts * source.weight

    def _current(self, x, step):
        """Sum of all injected currents (pA) in the coming step: the latest level of each."""
        total = np.zeros(x.n)
        for current in self.net.currents:
            position = 0
            begun = np.flatnonzero(current.steps <= step)
            for population, index in current.target.pieces:
                if population.name == x.name and begun.size:
                    row = current.amplitudes[begun[-1]]
                    level = row[position : position + len(index)] if row.size > 1 else row
                    total[np.asarray(index, np.int64)] += level
                position += len(index)
        return total.astype(F)


class _Neurons:
    """One population of leaky integrate-and-fire neurons: iaf_psc_delta; iaf_psc_exp with any currents that decay."""

    def __init__(self, oracle, number, population):
        p = {name: np.asarray(value, np.float64) for name, value in population.model.values.items()}
        h, E_L = oracle.dt, p["E_L"]
        self.name, self.n, self.first = population.name, population.n, oracle.first[population.name]
        self.number = number
        self.p22 = F32(np.exp(-h / p["tau_m"]))
        p20 = p["tau_m"] / p["C_m"] * -np.expm1(-h / p["tau_m"])
        self.p20, self.rest = F32(p20), F32(p20 * p["I_e"])
        self.theta, self.reset = F32(p["V_th"] - E_L), F32(p["V_reset"] - E_L)
        self.hold = np.rint(p["t_ref"] / h).astype(np.int64)
        receptors = population.model.receptors
        self.names = [r.name for r in receptors]
        taus = [p[r.tau[0]] for r in receptors]
        alike = all(np.array_equal(taus[0], tau) for tau in taus)
        taus = taus[:1] if alike else taus
        self.n_receptors = max(len(taus), 1)
        self.p11 = [F32(np.exp(-h / tau)) for tau in taus]
        self.p21 = [F32(psp_per_pA(p["C_m"], p["tau_m"], tau, h)) for tau in taus]
        self.units = [F(oracle.units[(number, r)]) for r in range(self.n_receptors)]
        self.wide_unit = 1.0 / oracle.wide_scale
        start = population.initial.get("V_m", E_L)
        self.v = np.broadcast_to(np.asarray(start - E_L).astype(F), self.n).copy()
        given = [np.asarray(population.initial.get(f"I_syn_{name}", 0.0)) for name in self.names]
        given = [sum(given)] if alike else given
        self.current = [np.broadcast_to(x.astype(F), self.n).copy() for x, _ in zip(given, taus, strict=False)]
        self.left = np.zeros(self.n, np.int64)

    def receptor(self, name, weight):
        """The receptor of that name; without one, that of the weight's sign: inhibitory ones are called in, in_..."""
        if self.n_receptors == 1:
            return 0
        if name is not None:
            return self.names.index(name)
        fitting = [k for k, name in enumerate(self.names) if (name.split("_")[0] == "in") == (weight < 0)]
        return fitting[0] if fitting else 0

    def update(self, arrivals, wide, injected):
        """One step; returns who spiked."""
        x = np.broadcast_to(self.rest, self.n).astype(F)
        for r in range(len(self.current)):
            x = x + self.p21[r] * self.current[r]
        if not self.current:
            x = self._plus_arrivals(x, 0, arrivals, wide)
        x = x + self.p20 * injected
        v = np.where(self.left > 0, self.v, self.p22 * self.v + x)
        spiked = v >= self.theta
        self.v = np.where(spiked, self.reset, v)
        self.left = np.where(spiked, self.hold, np.maximum(self.left - 1, 0))
        for r in range(len(self.current)):
            self.current[r] = self._plus_arrivals(self.p11[r] * self.current[r], r, arrivals, wide)
        assert self.v.dtype == F
        return spiked

    def _plus_arrivals(self, x, r, arrivals, wide):
        x = x + self.units[r] * arrivals[r].astype(F)
        return x + (wide[r].astype(np.float64) * self.wide_unit).astype(F)


def F32(x):
    """Rounded to float32, as a NumPy scalar or array."""
    return np.asarray(x).astype(F)[()]


def psp_per_pA(C_m, tau_m, tau_syn, h):
    """mV after h of 1 pA that decays with tau_syn: Rotter & Diesmann 1999, eq. 11, and its limit for equal taus."""
    if np.all(tau_m == tau_syn):
        return h / C_m * np.exp(-h / tau_m)
    a, b = -h / tau_m, -h / tau_syn
    return tau_m * tau_syn / (C_m * (tau_m - tau_syn)) * np.exp(b) * np.expm1(a - b)


def poisson_counts(seed, stream, step, ids, mean):
    """Arrivals at neurons `ids` in one step: the number of j with r > 2^32 P(X <= j) - 1, r one random word for each
    neuron.
    """
    key = keyed(seed, POISSON_STREAM + (stream << 8), step)
    last = int(stats.poisson.isf(2.0**-40, mean)) + 2
    cdf = stats.poisson.cdf(np.arange(last + 1), mean)
    limits = np.clip(np.ceil(cdf * 2.0**32) - 1, 0, 2.0**32 - 1)
    return np.searchsorted(limits, words(ids, key).astype(np.float64), side="left")


def keyed(seed, stream, item):
    """SplitMix64, twice: the 64-bit key of one item of a stream."""
    return mix64(mix64(seed + GOLDEN * stream) + GOLDEN * item)


def mix64(x):
    x &= MASK
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return x ^ (x >> 31)


def words(ids, key):
    """32 random bits for each counter: lowbias32, keyed by one half before and one half between its multiplications."""
    low, high = np.uint32(key & 0xFFFFFFFF), np.uint32(key >> 32)
    x = np.asarray(ids).astype(np.uint32) * np.uint32(0x9E3779B1) + low
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D) ^ high
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))

"""Models of one's own in which everything is called by chance like something else: by value, each name means itself.

A state grows by its parameter in each step, some by way of a function; the last one counts to three and spikes. Names
are those that drivers use, Python's, and what becomes of them when something is put before or behind.
"""

from __future__ import annotations

import builtins
import functools
import importlib.util
import keyword
import re
import sys
import unicodedata

import networks
import numpy as np
import travel

import biosnn as bs
from biosnn.engine.writing.driver import POLICY, SCALARS, helpers_of

DT, STEPS = 0.1, 7
N_STATES = 12
TAKEN = {"I", "p", "dt", "spikes", "receptors"}  # so it is documented
OTHERS = ("held", "noise", "wave", "change_value", "low_0", "word_0", "τ", "Δ_T", "λ1", "été", "变量", "µ_s")
PREFIXES = ("own_", "state_", "constant_", "constants_of_", "function_", "model_", "probe_", "update_", "_")

TEXT = """\
import biosnn as bs


def {helper}({first}, {second}):
    {sum} = {first} + {second}
    return {sum}{again}


@bs.neuron(state={start}, params={params}, receptors=[bs.receptors.exp({receptor!r})])
def {model}({states}, I, p, dt):
    {local} = {grown}
    {last} = {last} + 1.0
    {fired} = {last} >= 3.0
    return {local}, {others}, (0.0 if {fired} else {last}), {fired}
"""


@functools.cache
def pool() -> list[str]:
    """Names that drivers use, of Python, and of neither."""
    plans = [networks.mixed().plan(**way) for way in travel.EVERY]
    texts, helpers = [plan.driver_source for plan in plans], {name for p in plans for name in helpers_of(p.parts)}
    used = {name for text in texts for name in re.findall(r"[A-Za-z_]\w*", text)}
    used |= {*helpers, *POLICY, *SCALARS, *dir(builtins), *OTHERS} - TAKEN - {"__debug__"}
    return sorted(name for name in used if name.isidentifier() and not keyword.iskeyword(name))


def normal(name: str) -> str:
    """An identifier as Python reads it."""
    return unicodedata.normalize("NFKC", name)


class Names:
    """What everything is called in one model; the second one of a network calls its function as the first does."""

    def __init__(self, rng, other=None):
        self.rng = rng
        used = set() if other is None else {normal(other.helper), normal(other.model)}
        self.helper, self.model = self._new(used, of_module=True), self._new(used, of_module=True)
        self.helper = self.helper if other is None else other.helper
        self.receptor = self._new(used)
        self.states = [self._new(used) for _ in range(N_STATES)]
        params = {normal(name) for name in self.states}  # which meet nothing else
        self.params = [self._new(params) for _ in range(N_STATES - 1)]
        self.local, self.fired, self.first, self.second, self.sum = (self._new(used) for _ in range(5))
        self.again = other is not None
        self.start = [100.0 * j for j in range(N_STATES - 1)]
        self.growth = [(j + 1.0) * (2 if self.again and j % 2 == 0 else 1) for j in range(N_STATES - 1)]

    def _new(self, used, of_module=False):
        """A name beside those that are used."""
        while True:
            found, other = self.rng.choice(pool(), 2).tolist()
            how = int(self.rng.integers(12))
            if how < 4:
                found = (f"{found}_{other}", f"{found}_", f"{self.rng.choice(PREFIXES)}{found}", f"{found}_2")[how]
            if normal(found) not in used | TAKEN and not (of_module and (found == "bs" or found.startswith("__"))):
                used.add(normal(found))
                return found

    def text(self) -> str:
        """The module."""
        *states, last = self.states
        grown = [
            f"{self.helper}({s}, p.{q})" if j % 2 == 0 else f"{s} + p.{q}"
            for j, (s, q) in enumerate(zip(states, self.params, strict=True))
        ]
        start = dict(zip(self.states, [*self.start, 0.0], strict=True))
        return TEXT.format(
            helper=self.helper, first=self.first, second=self.second, sum=self.sum, receptor=normal(self.receptor),
            again=f" + {self.second}" if self.again else "", start=start,
            params={q: j + 1.0 for j, q in enumerate(self.params)}, model=self.model, states=", ".join(self.states),
            local=self.local, grown=grown[0], others=", ".join(grown[1:]), last=last, fired=self.fired,
        )  # fmt: skip


def check(seed: int, folder) -> None:
    """Two models of random names in one network, with all inputs beside them. Raises AssertionError."""
    rng = np.random.default_rng(seed)
    first = Names(rng)
    models = {"one": first, "other": Names(rng, first)}
    net = bs.Network(dt=DT)
    for population, names in models.items():
        path = folder / f"names_{seed}_{population}.py"
        path.write_text(names.text(), encoding="utf-8")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        _populate(net, population, getattr(module, normal(names.model))(), names)
    result = net.build(threads=1).run(STEPS * DT)
    for population, names in models.items():
        assert result.populations[population].counts.tolist() == [STEPS // 3] * 3
        for state, start, growth in zip(names.states, names.start, names.growth, strict=False):
            value = result.samples[population][normal(state)].values[-1]
            np.testing.assert_array_equal(value, start + STEPS * growth, err_msg=f"{state} of {names.model}")


def _populate(net, population, model, names):
    """Three neurons of a model, every state recorded, and an input of each kind that changes nothing."""
    cells = net.population(population, 3, model)
    for state in names.states:
        net.record(cells, normal(state))
    net.connect(cells, cells, bs.all_to_all(), weight=bs.uniform(1.0, 2.0), delay=bs.uniform(0.1, 0.5))
    net.poisson(cells, rate=1000.0, weight=1.0)
    net.poisson(cells, rate=bs.sinusoidal(100.0, 10.0, 5.0), weight=1.0)
    for current in (bs.stepped([0.2], [5.0]), bs.sinusoidal(0.0, 1.0, 5.0), bs.noise(0.0, 1.0)):
        net.current(cells, current)

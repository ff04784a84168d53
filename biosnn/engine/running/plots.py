"""`sim.plot`: a network that was built, as pictures. The drawing is in biosnn/plot; here is what it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn._arrays import F64, I64
from biosnn.description.population import as_group
from biosnn.description.weights import weight_unit
from biosnn.engine.building.build import Built
from biosnn.engine.running.read_back import in_blocks
from biosnn.errors import DescriptionError
from biosnn.plot.axes import axes, colours
from biosnn.plot.connectivity import degrees, weights
from biosnn.plot.histograms import MOST_BINS
from biosnn.plot.positions import positions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Names = str | Sequence[str] | None
MOST_WEIGHTS = 1_000_000
DIRECTIONS = ("in", "out")  # of NEST's indegree and outdegree


class SimulationPlots:
    """Plots of one simulation into Matplotlib axes `ax`, which are made if none are given; returns the axes.

    Names are those of populations, one or a list (default: all). Raises DescriptionError where there is nothing to
    show, and where Matplotlib is missing. Synapses are read in blocks, which takes some 60 ns a synapse.
    """

    def __init__(self, built: Built) -> None:
        self._built = built
        self._layout = built.plan.layout

    def weights(self, source: Names = None, target: Names = None, *, bins: int = 100, ax: Any = None) -> Axes:
        """The distribution of the weights of each source population's synapses, as stored, onto the targets.

        Of more than a million synapses, an evenly spaced sample is drawn, and the title says so.
        """
        owner = "sim.plot.weights"
        bins = _validate.count(owner, "bins", bins, at_least=1, at_most=MOST_BINS)
        sources, targets = self._ends(owner, source, target)
        ax = axes(owner, ax)  # before all that has to be read
        found, every = self._weights(sources, targets)
        if source is None:
            found = {name: w for name, w in found.items() if w.size}
        if not any(w.size for w in found.values()):
            raise DescriptionError(f"{owner}: there are no synapses between these populations; net.connect makes some")
        unit = weight_unit(owner, as_group(owner, [self._built.net.populations[name] for name in targets]), None)
        return weights(ax, found, unit, every, bins, colours(self._layout.names))

    def degrees(
        self,
        direction: str = "in",
        source: Names = None,
        target: Names = None,
        *,
        bins: int = 100,
        ax: Any = None,
    ) -> Axes:
        """The distribution over neurons of their numbers of synapses from `source` to `target`, by population.

        "in": those that each neuron of a target has; "out": those that each neuron of a source has.
        """
        owner = "sim.plot.degrees"
        _validate.known(owner, "direction", direction, DIRECTIONS)
        bins = _validate.count(owner, "bins", bins, at_least=1, at_most=MOST_BINS)
        sources, targets = self._ends(owner, source, target)
        ax, from_these, to_these = axes(owner, ax), self._of(sources), self._of(targets)
        counts = np.zeros(self._layout.n_ids, np.int64)
        for block in in_blocks(self._built):
            mine = from_these[block.sources] & to_these[block.targets]
            ids = block.targets if direction == "in" else block.sources
            counts += np.bincount(ids[mine], minlength=counts.size)
        first, size = self._layout.first_of(), self._built.net.populations
        found = {
            name: counts[first[name] : first[name] + size[name].n]
            for name in (targets if direction == "in" else sources)
        }
        return degrees(ax, found, direction, bins, colours(self._layout.names))

    def positions(self, names: Names = None, *, ax: Any = None) -> Axes:
        """Where neurons stand, coloured by population, in um; three dimensions take axes of projection "3d".

        Of more than 20,000 neurons, an evenly spaced sample is drawn, and the title says so.
        """
        owner = "sim.plot.positions"
        having = {name: p.positions for name, p in self._built.net.populations.items()}
        asked = self._names(owner, names, list(having))
        places = {name: xyz for name in asked if (xyz := having[name]) is not None}
        missing = [name for name in asked if name not in places]
        if not places or (names is not None and missing):
            what = "no population was given positions" if names is None else f"{missing[0]!r} was given no positions"
            raise DescriptionError(f"{owner}: {what}; give net.population(..., positions=bs.grid(...))")
        n_dims = sorted({xyz.shape[1] for xyz in places.values()})
        if len(n_dims) > 1:
            raise DescriptionError(
                f"{owner}: populations stand in {n_dims[0]} and {n_dims[-1]} dimensions; name those of one kind"
            )
        ax = axes(owner, ax, (6.0, 5.0), **({"projection": "3d"} if n_dims == [3] else {}))
        if n_dims == [3] and not hasattr(ax, "set_zlabel"):
            raise DescriptionError(f"{owner}: three dimensions take axes of projection '3d', got {_validate.shown(ax)}")
        return positions(ax, places, colours(self._layout.names))

    def _ends(self, owner: str, source: Names, target: Names) -> tuple[list[str], list[str]]:
        """Names of the populations that synapses may come from, and of those of neurons that they may go to."""
        neurons = [name for name, g in zip(self._layout.names, self._layout.group_of, strict=True) if g >= 0]
        return self._names(owner, source, list(self._layout.names)), self._names(owner, target, neurons)

    def _names(self, owner: str, asked: Names, known: list[str]) -> list[str]:
        names = known if asked is None else [asked] if isinstance(asked, str) else asked
        if not isinstance(names, (list, tuple)) or (asked is not None and not names):
            raise DescriptionError(f"{owner}: expected a name or a list of names, got {_validate.shown(asked)}")
        return [_validate.known(owner, "population", name, known) for name in names]

    def _of(self, names: list[str]) -> NDArray[np.bool_]:
        """Whether each id belongs to one of these populations."""
        mine = [name in names for name in self._layout.names]
        return np.repeat(np.array(mine, np.bool_), np.diff(self._layout.first_id))

    def _weights(self, sources: list[str], targets: list[str]) -> tuple[dict[str, F64], int]:
        """Weights by source population, of one synapse in so many."""
        from_these, to_these, every, seen = self._of(sources), self._of(targets), 1, 0
        ids, values = np.empty(0, np.int64), np.empty(0)
        for block in in_blocks(self._built):
            mine = np.flatnonzero(from_these[block.sources] & to_these[block.targets])
            taken = mine[-seen % every :: every]
            seen += mine.size
            ids, values = np.append(ids, block.sources[taken]), np.append(values, block.weights[taken])
            while values.size > MOST_WEIGHTS:
                ids, values, every = ids[::2], values[::2], 2 * every
        populations: I64 = np.searchsorted(self._layout.first_id, ids, side="right") - 1
        names = self._layout.names
        return {name: values[populations == names.index(name)] for name in sources}, every

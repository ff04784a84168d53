"""What the kernels of space are given: neurons sorted by cell, and what synapses take from their distances."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn._arrays import F64, I64
from biosnn.connectivity import near
from biosnn.connectivity.distances import SPACE
from biosnn.description.geometry import Geometry
from biosnn.description.items import Connection
from biosnn.description.space import UM_PER_MS, OfDistance, Profile, TravelTime
from biosnn.distributions import N_QUANTILES, Distribution

# A cell is half a scale wide, so that the probability varies little in it; wider where it would hold less than 16.
CELLS_PER_SCALE, FEWEST = 2.0, 16
STEPS = 4096  # of the table that bounds a profile


def in_three_dimensions(places: F64) -> F64:
    """Places (n, 1 | 2 | 3) as (n, 3)."""
    found = np.zeros((len(places), 3))
    found[:, : places.shape[1]] = places
    return found


def near_targets(p: Profile, space: Geometry, source_ids: I64, target_ids: I64) -> dict[str, Any]:
    """The arguments of `near.targets` from `grid` to `rates`: each source looks for targets."""
    grid, searched = _searched(p, space, target_ids, space.target)
    with np.errstate(divide="ignore"):  # of a probability of 1
        rates = -np.log1p(-p.peak * searched["falls"])
    looking = {"source_ids": source_ids, "places": in_three_dimensions(space.source)}
    return {"grid": grid, **looking, **searched, "rates": rates}


def near_sources(p: Profile, indegree: int, space: Geometry, source_ids: I64, target_ids: I64) -> dict[str, Any]:
    """The arguments of `near.sources` from `grid` to `falls`: each target looks for sources."""
    grid, searched = _searched(p, space, source_ids, space.source)
    looking = {"target_ids": target_ids, "places": in_three_dimensions(space.target)}
    return {"grid": grid, "indegree": indegree, **looking, **searched}


def _searched(p: Profile, space: Geometry, ids: I64, places: F64) -> tuple[NDArray[np.void], dict[str, Any]]:
    """The grid of cells, and the neurons that are looked for, sorted by cell."""
    xyz = in_three_dimensions(places)
    grid, order, first = _cells(p, space, xyz)
    falls = p.shape(np.arange(STEPS + 3) / grid["per_um"][0])
    return grid, {"ids": ids, "xyz": xyz[order], "order": order, "first": first, "falls": falls}


def space_record(c: Connection, dt: float, factor_at: int) -> NDArray[np.void]:
    """What a connection's synapses take from their distances; `factor_at`: where its myelination stands."""
    found = np.zeros((), SPACE)
    found["period"] = _period(c.sides.space)
    if isinstance(c.weight, OfDistance):
        found["weights"], found["per_um"], found["fades_at"] = 1, c.weight.per_um, c.weight.fades_at
    if isinstance(c.delay, TravelTime):
        conduction, factor = c.delay.conduction, c.delay.factor
        found["delays"], found["dt"], found["first_step"] = 1, dt, c.delay.first_step(dt)
        found["offset"], found["velocity"] = conduction.offset, UM_PER_MS * conduction.velocity
        found["factor_at"] = factor_at
        found["factor_mask"] = N_QUANTILES - 1 if isinstance(factor, Distribution) else 0
        found["factor_step"] = isinstance(factor, np.ndarray)
    return found


def _cells(
    profile: Profile, space: Geometry, places: F64
) -> tuple[NDArray[np.void], NDArray[np.int64], NDArray[np.int64]]:
    """The grid of cells, the neurons in their order, and where those of each cell begin."""
    period = _period(space)
    low = np.where(period > 0, 0.0, places.min(0, initial=np.inf) if len(places) else 0.0)
    size = np.where(period > 0, period, (places.max(0, initial=-np.inf) if len(places) else 0.0) - low)
    shape = np.maximum(np.rint(size / profile.scale * CELLS_PER_SCALE), 1).astype(np.int64)
    while np.prod(shape, dtype=np.float64) * FEWEST > max(len(places), FEWEST):
        shape = np.maximum((0.8 * shape).astype(np.int64), 1)
    width = size / shape
    index = np.floor((places - low) / np.where(size > 0, width, 1.0)).astype(np.int64)
    index = np.where(period > 0, index % shape, np.clip(index, 0, shape - 1))
    cell = np.ravel_multi_index(tuple(index.T), tuple(shape))
    order = np.argsort(cell, kind="stable")
    first = np.searchsorted(cell[order], np.arange(int(np.prod(shape)) + 1))
    reach = min(profile.fades_at, 2 * space.longest + 1.0)
    grid = np.zeros(1, near.CELLS)
    for name, value in (
        ("lowest", low), ("width", width), ("n_cells", shape), ("period", period), ("kind", profile.kind),
        ("scale", profile.scale), ("reach", reach), ("per_um", STEPS / reach),
    ):  # fmt: skip
        grid[name] = value
    return grid, order, first.astype(np.int64)


def _period(space: Geometry) -> F64:
    return np.zeros(3) if space.period is None else in_three_dimensions(space.period[None])[0]

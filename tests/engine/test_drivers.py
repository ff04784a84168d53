"""Drivers, plans and arrays are what they were: none changes by accident. `golden.py` writes them anew, on purpose."""

import json

import golden
import pytest

FIXED = json.loads((golden.HERE / "drivers.json").read_text(encoding="utf-8"))
IN_FULL = {path.stem: path for path in (golden.HERE / "drivers").glob("*.txt")}


@pytest.fixture(scope="module")
def cases():
    """All networks, by name: each was described and planned once to see whether it can be."""
    return golden.cases()


def test_every_network_is_fixed_and_some_are_in_full(cases):
    assert list(cases) == list(FIXED)
    assert golden.IN_FULL <= len(IN_FULL) <= len(FIXED)


@pytest.mark.parametrize("name", ["everything auto csr dense 2", "mixed", "own model", "nothing"])
def test_what_is_planned_is_what_is_built(cases, name):
    describe, how = cases[name]
    assert golden.built(describe(), how).driver_source == describe().plan(**how).driver_source


@pytest.mark.parametrize("name", FIXED)
def test_the_bytes_that_are_planned_are_allocated(cases, name):
    describe, how = cases[name]
    sim = golden.built(describe(), how)
    if all(table.exact for table in sim.plan.tables):  # no rule leaves the number of synapses to chance
        assert sim.bytes == sim.plan.bytes
    else:
        assert sim.bytes == pytest.approx(sim.plan.bytes, rel=0.01)


@pytest.mark.parametrize("name", FIXED)
def test_driver_plan_and_arrays_are_as_they_were(cases, name):
    found, text = golden.fixed(*cases[name])
    shown = IN_FULL.get(golden.file_name(name))
    if shown is not None:
        assert text == shown.read_text(encoding="utf-8")
    assert found == FIXED[name]

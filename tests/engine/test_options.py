"""One table of options: what the parser, `asked`, its type and the documentation say is what stands there."""

import importlib
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

import biosnn as bs
from biosnn.engine.planning import choice
from biosnn.engine.planning.options import OPTIONS, Asked
from biosnn.runners import cli
from biosnn.runners.parser import build_parser

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_type_of_what_is_asked_is_the_table():
    hints = get_type_hints(Asked)
    assert list(hints) == [o.name for o in OPTIONS]
    for o in OPTIONS:
        assert hints[o.name] == (o.kind if o.default is not None else o.kind | None)
        assert o.name in Asked.__doc__
        assert o.help in Asked.__doc__


def test_what_nobody_asked_for_has_its_default_in_python_and_on_the_command_line():
    defaults = {o.name: o.default for o in OPTIONS}
    assert choice.asked({}) == cli.asked_ways(build_parser().parse_args([])) == defaults
    assert all(o.default in o.choices for o in OPTIONS if o.choices)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda o: o.name)
def test_every_choice_is_taken_by_the_command_line_and_by_a_plan(option):
    for value in option.choices or (1, 2.0 if option.kind is float else 2):
        args = build_parser().parse_args([option.flag, str(value)])
        assert getattr(args, option.name) == value
        assert choice.asked({option.name: value})[option.name] == value
        assert option.name in cli.asked_ways(args)
    with pytest.raises(bs.DescriptionError, match=f"^plan: .*{option.name}"):
        choice.asked({option.name: "no such thing"})


@pytest.mark.parametrize("name", choice.TABLES)
def test_the_names_that_the_parser_reads_are_those_of_the_tables(name):
    (option,) = (o for o in OPTIONS if o.name == name)
    assert {*option.choices, "auto"} == {*choice.TABLES[name], "auto"}


def test_a_ring_that_is_registered_later_can_be_asked_for(monkeypatch):
    monkeypatch.setitem(choice.RINGS, "my_ring", None)
    assert choice.asked({"ring_strategy": "my_ring"})["ring_strategy"] == "my_ring"
    with pytest.raises(bs.UnknownNameError, match=r"did you mean 'my_ring'.*known: auto, dense, event_bucketed, my_"):
        choice.asked({"ring_strategy": "my_rin"})


def test_the_documentation_has_the_table_as_it_is(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    page = importlib.import_module("options_table")
    sys.modules.pop("options_table")
    assert page.with_table(page.PAGE.read_text()) == page.PAGE.read_text(), "run examples/options_table.py"

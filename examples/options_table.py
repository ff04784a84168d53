"""Write the table of options in docs/performance.md, from the one in the code: python examples/options_table.py"""

from pathlib import Path

from biosnn.engine.planning.options import OPTIONS

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- made by examples/options_table.py -->\n", "<!-- end -->\n"


def table():
    """A row for each option: flag, what it may be, default, what it is for."""
    rows = ["| option | may be | default | what it is for |\n", "|---|---|---|---|\n"]
    for o in OPTIONS:
        choices = ", ".join(f"`{name}`" for name in o.choices) or f"a number of {o.unit}"
        default = o.unset or f"`{o.default_text}`"
        rows.append(f"| `{o.flag}` | {choices} | {default} | {o.help} |\n")
    return "".join(rows)


def with_table(text):
    """The page, with the table as it now is between its two marks."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))

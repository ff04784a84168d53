"""Names without a value: Python says so where it meets one, what is compiled would take a zero."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence


def first_unset(definition: ast.FunctionDef, local: Collection[str]) -> ast.Name | None:
    """The first place where a function reads one of its `local` names that does not have a value in all cases."""
    found: list[ast.Name] = []
    _follow(definition.body, {a.arg for a in definition.args.args}, local, found)
    return found[0] if found else None


def names_in(node: ast.AST) -> set[str]:
    """The names that stand in an expression."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _follow(
    statements: Sequence[ast.stmt], known: set[str], local: Collection[str], found: list[ast.Name]
) -> set[str] | None:
    """The names that have a value after some statements, whatever the conditions; None: they return."""
    for s in statements:
        after: set[str] | None
        if isinstance(s, ast.If):
            _read(s.test, known, local, found)
            branches = [_follow(body, set(known), local, found) for body in (s.body, s.orelse)]
            ends = [names for names in branches if names is not None]
            after = set.intersection(*ends) if ends else None
        elif isinstance(s, ast.For):
            _read(s.iter, known, local, found)
            inside = _follow(s.body, known | names_in(s.target), local, found)
            after = None if inside is None else known | (inside if _is_run(s.iter) else set())
            after = None if after is None else _follow(s.orelse, after, local, found)
        else:
            _read(s, known, local, found)
            targets = s.targets if isinstance(s, ast.Assign) else [s.target] if isinstance(s, ast.AnnAssign) else []
            after = None if isinstance(s, ast.Return) else known.union(*map(names_in, targets))
        if after is None:
            return None
        known = after
    return known


def _read(node: ast.AST, known: set[str], local: Collection[str], found: list[ast.Name]) -> None:
    for n in ast.walk(node):
        changed = isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name) and n.target
        read = changed or (n if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) else None)
        if read and read.id in local and read.id not in known:
            found.append(read)


def _is_run(over: ast.expr) -> bool:
    """Whether a loop over this is run at least once."""
    if isinstance(over, ast.Tuple):
        return bool(over.elts)
    arguments = [a.value for a in over.args if isinstance(a, ast.Constant)] if isinstance(over, ast.Call) else []
    return bool(arguments) and len(range(*[a for a in arguments if isinstance(a, int)])) > 0

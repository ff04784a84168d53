"""From a user's function of scalars to the text that a driver holds: float32 throughout, names resolved, nothing else.

The text is what the user wrote, with four changes: numbers become float32 (a plain literal would widen the loop to
float64), what the function names outside of itself is put in (numbers) or added (functions), the n-th `random()`
becomes the n-th random word, and variables and parameters are called so that they meet no name of a driver. So the hash
of a driver covers all that its models depend on.

    variable v          v_          nothing of ours ends in an underscore
    parameter p.a       p_.param_a  a named tuple takes no name that begins with one
    model m             own_m
    k-th function of m  of_m_k      k = 1, 2, ...; as "own_m_k" it could be a model, m_k

Each is one to one, whatever identifiers the user chose. Arrays: see `OwnModel.array` and `engine.driver.prefix`.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import random
import textwrap
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import numpy as np

from biosnn import fastmath
from biosnn.errors import DescriptionError
from biosnn.models.own.unset import first_unset, names_in

MODEL, PARAMETER = "own_", "param_"  # what the names of a user's models and parameters begin with in a driver
# What a function may call by name, or as a function of `math` and NumPy: ours, in float32.
FUNCTIONS = ("exp", "log", "sqrt", "sin", "cos", "tanh")
BUILTINS = ("abs", "min", "max", "range")
RANDOM = "random"
# Functions are told by what they are, whatever the user's module calls them: `from math import log10 as log` is no log.
_KNOWN = [(getattr(module, name), name) for module in (math, np, fastmath) for name in FUNCTIONS]
_KNOWN += [(getattr(builtins, name), name) for name in BUILTINS]
_KNOWN += [(np.abs, "abs"), (np.fabs, "abs"), (math.fabs, "abs"), (np.minimum, "min"), (np.maximum, "max")]
_KNOWN += [(random.random, RANDOM), (np.random.random, RANDOM)]
_Node = TypeVar("_Node", bound=ast.AST)


@dataclass
class Source:
    """The functions of a model as text: those it calls first, itself, by `name`, last."""

    name: str
    file: str
    text: str
    tree: ast.Module  # the same, with the line numbers of the user's file
    draws: int  # calls of random()
    lines: list[str] = field(repr=False)  # of the user's file, from `first` on
    first: int = 1

    def place(self, line: int) -> str:
        """A line of the user's file, for messages."""
        k = line - self.first
        said = f": {self.lines[k].strip()}" if 0 <= k < len(self.lines) else ""
        return f"{self.file}, line {line}{said}"


def translate(function: Callable[..., Any], states: Collection[str], params: Collection[str]) -> Source:
    """The source of a model's function, checked and rewritten.

    Raises DescriptionError, with the line, for what a function of scalars cannot contain.
    """
    found = _read(function)
    writer = _Writer(function, found, tuple(states), frozenset(params))
    writer.add(function, found)
    found.tree = ast.Module(writer.functions, [])
    found.name = writer.known[function]
    found.text = "\n\n\n".join(ast.unparse(f) for f in writer.functions)
    found.draws = writer.draws
    return found


def _read(function: Callable[..., Any]) -> Source:
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError) as error:
        raise DescriptionError(
            f"model {function.__name__!r}: its source cannot be read; define it in a file or a notebook, not by exec"
        ) from error
    tree = ast.parse(textwrap.dedent("".join(lines)))
    ast.increment_lineno(tree, first - 1)
    file = inspect.getsourcefile(function) or "<unknown>"
    return Source(function.__name__, file, "", tree, 0, [line.rstrip("\n") for line in lines], first)


class _Writer(ast.NodeTransformer):
    """Rewrites one function after another; `functions` are the results."""

    def __init__(
        self, model: Callable[..., Any], source: Source, states: tuple[str, ...], params: frozenset[str]
    ) -> None:
        self.model, self.states, self.params = model, states, params
        self.functions: list[ast.stmt] = []
        self.known: dict[Callable[..., Any], str] = {}
        self.open: list[Callable[..., Any]] = []  # those that are being rewritten
        self.draws = 0
        self._enter(model, source)

    def add(self, function: Callable[..., Any], source: Source) -> str:
        """Rewrite a function and all it calls; its name in the text."""
        before = {
            name: getattr(self, name) for name in ("function", "source", "outside", "local", "in_loop", "indices")
        }
        definition = self._enter(function, source)
        self.open.append(function)
        n = len(self.known)
        definition.name = self.known[function] = f"of_{self.model.__name__}_{n}" if n else MODEL + function.__name__
        if function is self.model:
            self._check_signature(definition)
        arguments = definition.args
        plain = not (arguments.vararg or arguments.kwonlyargs or arguments.kwarg or arguments.defaults)
        self._refuse_unless(plain, definition, f"{function.__name__} takes arguments by position, without defaults")
        unset = first_unset(definition, self.local)
        if unset is not None:
            self._refuse(unset, f"{unset.id!r} does not have a value in all cases; give it one before")
        definition.decorator_list, definition.returns = [], None
        for a in definition.args.args:
            a.arg, a.annotation = a.arg + "_", None
        if ast.get_docstring(definition) is not None:
            definition.body = definition.body[1:]
        definition.body = [self.visit(statement) for statement in definition.body]
        if n:  # which its name no longer says
            definition.body.insert(0, self._placed(ast.Expr(ast.Constant(function.__name__)), definition))
        if function is self.model:
            definition.args.args += [self._placed(ast.arg(f"word_{k}"), definition) for k in range(self.draws)]
        self.functions.append(definition)
        self.open.pop()
        vars(self).update(before)
        return definition.name

    def _enter(self, function: Callable[..., Any], source: Source) -> ast.FunctionDef:
        """Begin with a function: its names are those that count."""
        self.function, self.source, self.in_loop, self.indices = function, source, 0, frozenset[str]()
        definition = source.tree.body[0]
        if not isinstance(definition, ast.FunctionDef):
            raise DescriptionError(f"model {self.model.__name__!r}: it must be a function written with def")
        self.outside = inspect.getclosurevars(function)
        stored = {n.id for n in ast.walk(definition) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self.local = {a.arg for a in definition.args.args} | stored
        return definition

    def _check_signature(self, definition: ast.FunctionDef) -> None:
        if tuple(a.arg for a in definition.args.args) != (*self.states, "I", "p", "dt"):
            wanted = ", ".join((*self.states, "I", "p", "dt"))
            self._refuse(definition, f"arguments must be ({wanted}): the states in order, then I, p and dt")
        returns = [n for n in ast.walk(definition) if isinstance(n, ast.Return)]
        n = len(self.states) + 1
        for r in returns:
            if not isinstance(r.value, ast.Tuple) or len(r.value.elts) != n:
                self._refuse(r, f"a model returns ({', '.join(self.states)}, spiked): {n} values")
        self._refuse_unless(bool(returns), definition, "a model returns its states, and whether it spiked")

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Numbers in float32."""
        if isinstance(node.value, bool):
            return node
        if not isinstance(node.value, (int, float)):
            self._refuse(node, f"{node.value!r} is no number")
        return self._number(node, float(node.value))

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """A small whole exponent stays whole: x**2 is a product."""
        node.left = self.visit(node.left)
        whole = isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant)
        if not (whole and isinstance(node.right, ast.Constant) and isinstance(node.right.value, int)):
            node.right = self.visit(node.right)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Numbers from outside by their value."""
        if node.id in self.local:
            counts = node.id in self.indices and isinstance(node.ctx, ast.Load)
            local = self._placed(ast.Name(node.id + "_", node.ctx), node)
            return self._placed(ast.Call(ast.Name("f32", ast.Load()), [local], []), node) if counts else local
        value = self._outside(node)
        if isinstance(value, (int, float, np.floating, np.integer)) and not isinstance(value, bool):
            return self._number(node, float(value))
        self._refuse(node, f"{node.id!r} is neither a state, nor I, p or dt, nor a number")

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Parameters, and numbers of modules (math.pi)."""
        if isinstance(node.value, ast.Name) and node.value.id == "p" and "p" in self.local:
            if node.attr not in self.params:
                self._refuse(node, f"there is no parameter {node.attr!r}; known: {', '.join(sorted(self.params))}")
            return self._placed(ast.Attribute(self.visit(node.value), PARAMETER + node.attr, node.ctx), node)
        value = self._module_member(node)
        if isinstance(value, (int, float)):
            return self._number(node, float(value))
        self._refuse(node, f"{ast.unparse(node)!r} is neither a parameter p.NAME nor a number")

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Functions of ours, of the user, and a few of Python's."""
        called = node.func
        if isinstance(called, ast.Name):
            value = self._outside(called, missing=None)
            unknown = called.id if value is None else getattr(value, "__name__", called.id)
        else:
            value = self._module_member(called) if isinstance(called, ast.Attribute) else None
            unknown = ast.unparse(called)
        is_built_in = value is None and isinstance(called, ast.Name)
        name = unknown if is_built_in else next((n for f, n in _KNOWN if callable(value) and f == value), None)
        if name == "range":
            plain = all(isinstance(a, ast.Constant) and isinstance(a.value, int) for a in node.args)
            self._refuse_unless(plain and bool(node.args), node, "range takes plain whole numbers")
            return node
        if name == RANDOM:
            return self._draw(node)
        node.args = [self.visit(a) for a in node.args]
        self._refuse_unless(not node.keywords, node, "arguments are given by position")
        if inspect.isfunction(value) and value.__module__ != fastmath.__name__:
            self._refuse_unless(value not in self.open, node, f"{unknown} is called by itself")
            inner = self.known.get(value) or self.add(value, _read(value))
            node.func = ast.copy_location(ast.Name(inner, ast.Load()), called)
            return node
        if name not in FUNCTIONS and name not in BUILTINS:
            known = ", ".join((*FUNCTIONS, RANDOM, *BUILTINS))
            self._refuse(node, f"{unknown!r} cannot be called in a model; known: {known}, and functions of your own")
        node.func = ast.copy_location(ast.Name(name, ast.Load()), called)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """An annotation says nothing here."""
        if node.value is None:
            self._refuse(node, "a variable needs a value")
        plain: ast.AST = self.visit(self._placed(ast.Assign([node.target], node.value), node))
        return plain

    def visit_For(self, node: ast.For) -> ast.AST:
        """Loops over range(n), n a plain number; what counts is float32 like all else."""
        self.in_loop += 1
        self.indices |= names_in(node.target)
        self.generic_visit(node)
        self.in_loop -= 1
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Refuse what is not arithmetic."""
        if isinstance(node, (ast.stmt, ast.expr)) and not isinstance(node, _ARITHMETIC):
            self._refuse(node, f"{type(node).__name__} has no place in a function of numbers")
        return super().generic_visit(node)

    def _draw(self, node: ast.Call) -> ast.AST:
        self._refuse_unless(
            self.function is self.model, node, "random() is called in the model itself, not in what it calls"
        )
        self._refuse_unless(not node.args and not self.in_loop, node, "random() takes nothing, and stands in no loop")
        word = ast.Name(f"word_{self.draws}", ast.Load())
        self.draws += 1
        return self._placed(ast.Call(ast.Name("uniform", ast.Load()), [word], []), node)

    def _number(self, node: ast.AST, value: float) -> ast.AST:
        return self._placed(ast.Call(ast.Name("f32", ast.Load()), [ast.Constant(value)], []), node)

    def _placed(self, new: _Node, old: ast.AST) -> _Node:
        return ast.fix_missing_locations(ast.copy_location(new, old))

    def _outside(self, node: ast.Name, **default: Any) -> Any:
        for space in (self.outside.nonlocals, self.outside.globals):
            if node.id in space:
                return space[node.id]
        if "missing" in default:
            return default["missing"]
        self._refuse(node, f"{node.id!r} is not defined")

    def _module_member(self, node: ast.Attribute) -> Any:
        module = self._outside(node.value, missing=None) if isinstance(node.value, ast.Name) else None
        return getattr(module, node.attr, None) if module in (math, np, fastmath) else None

    def _refuse_unless(self, fine: bool, node: ast.AST, why: str) -> None:
        if not fine:
            self._refuse(node, why)

    def _refuse(self, node: ast.AST, why: str) -> NoReturn:
        place = self.source.place(getattr(node, "lineno", self.source.first))
        raise DescriptionError(f"model {self.model.__name__!r}: {why} ({place})")


_ARITHMETIC = (
    ast.Assign, ast.AugAssign, ast.If, ast.For, ast.Return, ast.Expr, ast.Pass, ast.BinOp, ast.UnaryOp,
    ast.BoolOp, ast.Compare, ast.IfExp, ast.Tuple, ast.Name, ast.Constant, ast.Call, ast.Attribute,
)  # fmt: skip

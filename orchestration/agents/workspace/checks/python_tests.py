"""Tests in Python, by the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from orchestration.agents.workspace.checks.found_test import FoundTest

SKIPS = frozenset(
    {"skip", "skipif", "skipIf", "skipUnless", "xfail", "expectedFailure", "skipTest", "importorskip", "SkipTest"}
)
RAISING = frozenset({"raises", "warns", "deprecated_call", "fail", "expect", "snapshot"})
MOST_CHECKS = 1_000_000
Function = ast.FunctionDef | ast.AsyncFunctionDef


def found_in(text: str) -> dict[str, FoundTest]:
    """The tests by name, those of a class as Class.test. Raises SyntaxError."""
    tree = ast.parse(text)
    helpers = _Helpers(tree)
    whole = any(_skips_module(node) for node in tree.body)
    found: dict[str, FoundTest] = {}
    for name, function, classes in _functions(tree.body):
        decorators = [*function.decorator_list, *(mark for one in classes for mark in one.decorator_list)]
        found[name] = FoundTest(
            checks=_checks(function, helpers),
            skipped=whole or any(map(_is_skip, decorators)) or _skips_itself(function) or any(map(_is_hidden, classes)),
            body=ast.unparse(ast.Module(body=_without_docstring(function.body), type_ignores=[])),
            cases=_cases(decorators),
        )
    return found


def _functions(
    body: Iterable[ast.stmt], classes: tuple[ast.ClassDef, ...] = ()
) -> Iterator[tuple[str, Function, tuple[ast.ClassDef, ...]]]:
    for node in body:
        if isinstance(node, Function) and node.name.startswith("test"):
            yield ".".join([*(one.name for one in classes), node.name]), node, classes
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, (*classes, node))
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from _functions(node.body, classes)


class _Helpers:
    """The functions of a file by name, each counted once however often it is called."""

    def __init__(self, tree: ast.Module) -> None:
        self.by_name = {node.name: node for node in ast.walk(tree) if isinstance(node, Function)}
        self._counted: dict[str, int] = {}

    def checks(self, name: str) -> int | None:
        """How much a helper asserts, nothing where it calls itself again; None where it is none."""
        if name not in self.by_name or name.startswith("test"):
            return None
        if name not in self._counted:
            self._counted[name] = 0
            self._counted[name] = min(MOST_CHECKS, _checks(self.by_name[name], self))
        return self._counted[name]


def _checks(function: Function, helpers: _Helpers) -> int:
    """Assertions, those of the file's own helpers that it calls among them; what is always true is none."""
    total = 0
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            total += not _is_always_true(node.test)
        elif isinstance(node, ast.Call):
            name = _last_name(node.func)
            within = helpers.checks(name)
            if within is not None:
                total += within
            elif name.lower().startswith(("assert", "expect", "should", "check_", "verify")) or name in RAISING:
                total += not (node.args and all(map(_is_always_true, node.args)))
    return total


def _is_always_true(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return bool(node.value)
        case ast.BoolOp(op=ast.Or()):
            return any(map(_is_always_true, node.values))
        case ast.BoolOp(op=ast.And()):
            return all(map(_is_always_true, node.values))
        case ast.Compare(left=left, ops=[ast.Eq() | ast.Is() | ast.LtE() | ast.GtE()], comparators=[right]):
            return ast.dump(left) == ast.dump(right)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Constant() as constant):
            return not constant.value
        case ast.Tuple():
            return bool(node.elts)
    return False


def _is_skip(node: ast.expr) -> bool:
    """Of a decorator or a mark."""
    return bool({_last_name(one) for one in ast.walk(node) if isinstance(one, ast.Attribute | ast.Name)} & SKIPS)


def _skips_itself(function: Function) -> bool:
    """It calls a skip, or returns before it did anything, or does nothing at all."""
    body = _without_docstring(function.body)
    if (
        not body
        or isinstance(body[0], ast.Return)
        or all(isinstance(one, ast.Pass | ast.Expr) and _is_idle(one) for one in body)
    ):
        return True
    calls = (node for node in ast.walk(function) if isinstance(node, ast.Call))
    return any(_last_name(call.func) in SKIPS for call in calls)


def _is_idle(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _is_hidden(node: ast.ClassDef) -> bool:
    """`__test__ = False`."""
    return any(
        isinstance(one, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "__test__" for target in one.targets)
        and isinstance(one.value, ast.Constant)
        and not one.value.value
        for one in node.body
    )


def _skips_module(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign) and any(
        isinstance(one, ast.Name) and one.id == "pytestmark" for one in node.targets
    ):
        return _is_skip(node.value)
    if isinstance(node, ast.Assign) and _is_hidden(ast.ClassDef("x", [], [], [node], [])):
        return True
    if isinstance(node, ast.Raise) and node.exc is not None:
        return _is_skip(node.exc)
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and _last_name(node.value.func) in SKIPS | {"exit", "_exit"}
    )


def _cases(decorators: Iterable[ast.expr]) -> int:
    """Of each parametrize whose values are written out, how many there are, multiplied."""
    total = 1
    for node in decorators:
        if isinstance(node, ast.Call) and _last_name(node.func) == "parametrize" and len(node.args) > 1:
            values = node.args[1]
            if isinstance(values, ast.List | ast.Tuple | ast.Set) and not any(
                isinstance(one, ast.Starred) for one in values.elts
            ):
                total *= len(values.elts)
    return total


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    has = bool(body) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    return body[1:] if has and len(body) > 1 else body


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""

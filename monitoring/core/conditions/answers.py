"""Whether figures meet a condition, why, and when that may change by the clock alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from monitoring.core.conditions.tree import All, AnyOf, Condition, Leaf, Metrics, Not, Value, leaves
from monitoring.core.enums import HealthStatus

Answer = bool | None
ALL_ANSWERS: frozenset[Answer] = frozenset({True, False, None})


def matches(condition: Condition, metrics: Metrics) -> bool | None:
    """Whether it holds; None: unknown, since a figure that decides it has no value."""
    return _fold(condition, lambda leaf: _leaf(leaf, metrics.values.get(leaf.metric)))


def why(condition: Condition, metrics: Metrics) -> list[dict[str, Any]]:
    """Each comparison: {"metric", "op", "bound", "value", "holds"}; `value` None and `holds` None where unknown."""
    return [
        {
            "metric": leaf.metric, "op": leaf.op,
            "bound": list(leaf.bound) if isinstance(leaf.bound, tuple) else leaf.bound,
            "value": shown(value := metrics.values.get(leaf.metric)), "holds": _leaf(leaf, value),
        }
        for leaf in leaves(condition)
    ]  # fmt: skip


def shown(value: Value) -> Any:
    """A value as JSON: numbers with four digits at most behind the point, sets in order."""
    if isinstance(value, frozenset):
        return sorted(value)
    return round(value, 4) if isinstance(value, float) else value


def next_change(condition: Condition, metrics: Metrics) -> datetime | None:
    """The first moment after `metrics.now` at which the answer may change by itself; None if the clock cannot.

    None too where the figures that stand still rule it out: such a run need not be looked at for it.
    """
    moving = [leaf for leaf in leaves(condition) if metrics.lines.get(leaf.metric)]
    if not moving or not could_match(condition, metrics.values, frozenset(leaf.metric for leaf in moving)):
        return None
    return min((moment for leaf in moving for moment in _changes(leaf, metrics) if moment > metrics.now), default=None)


def could_match(condition: Condition, values: Mapping[str, Value], free: frozenset[str] | None = None) -> bool:
    """Whether it could hold, were the `free` metrics to have other values; by default those that `values` lacks."""

    def answers(leaf: Leaf) -> frozenset[Answer]:
        open_ = leaf.metric not in values if free is None else leaf.metric in free
        return ALL_ANSWERS if open_ else frozenset({_leaf(leaf, values.get(leaf.metric))})

    return True in _possible(condition, answers)


# --- one comparison ------------------------------------------------------------------------------------------------

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": lambda value, bound: value >= bound,
    ">": lambda value, bound: value > bound,
    "<=": lambda value, bound: value <= bound,
    "<": lambda value, bound: value < bound,
    "==": lambda value, bound: value == bound,
    "!=": lambda value, bound: value != bound,
    "in": lambda value, bound: value in bound,
    "not_in": lambda value, bound: value not in bound,
    "contains": lambda value, bound: bound.lower() in value.lower(),
}
_RANKED = (">=", ">", "<=", "<")


def _leaf(leaf: Leaf, value: Value) -> Answer:
    if value is None:
        return None
    if isinstance(value, frozenset):
        bound = set(leaf.bound if isinstance(leaf.bound, tuple) else (leaf.bound,))
        return bool(value & bound) is (leaf.op in ("==", "in"))
    if leaf.metric == "health" and leaf.op in _RANKED:
        return _COMPARE[leaf.op](HealthStatus(str(value)).rank, HealthStatus(str(leaf.bound)).rank)
    return _COMPARE[leaf.op](value, leaf.bound)


def _changes(leaf: Leaf, metrics: Metrics) -> Iterable[datetime]:
    for bound in leaf.bound if isinstance(leaf.bound, tuple) else (leaf.bound,):
        yield from metrics.reaches(leaf.metric, float(bound))


# --- three-valued logic ---------------------------------------------------------------------------------------------


def _and(one: Answer, other: Answer) -> Answer:
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def _not(one: Answer) -> Answer:
    return None if one is None else not one


def _fold(condition: Condition, leaf_of: Callable[[Leaf], Answer]) -> Answer:
    match condition:
        case Leaf():
            return leaf_of(condition)
        case Not():
            return _not(_fold(condition.part, leaf_of))
        case All():
            found: Answer = True
            for part in condition.parts:
                found = _and(found, _fold(part, leaf_of))
            return found
        case AnyOf():
            return _not(_fold(All(tuple(Not(part) for part in condition.parts)), leaf_of))


def _possible(condition: Condition, answers: Callable[[Leaf], frozenset[Answer]]) -> frozenset[Answer]:
    """All answers that it can give, were each comparison free to give any of its own."""
    match condition:
        case Leaf():
            return answers(condition)
        case Not():
            return frozenset(_not(one) for one in _possible(condition.part, answers))
        case All():
            found: frozenset[Answer] = frozenset({True})
            for part in condition.parts:
                found = frozenset(_and(one, other) for one in found for other in _possible(part, answers))
            return found
        case AnyOf():
            return _possible(Not(All(tuple(Not(part) for part in condition.parts))), answers)

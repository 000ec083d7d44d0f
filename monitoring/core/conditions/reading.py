"""From what an administrator wrote to a condition, or to an error that names the place, the value and a remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from foundation.errors import BadInput
from monitoring.core.conditions.bounds import check_together
from monitoring.core.conditions.tree import All, AnyOf, Condition, Leaf, Not, leaves
from monitoring.core.conditions.vocabulary import ALLOWED, METRICS, NUMBER, OPERATORS
from orchestration.core.likeness import bounded, nearest

MOST_DEPTH, MOST_LEAVES, MOST_VALUES, LONGEST = 5, 50, 50, 300
MOST = 1e300
"""No number is above it, nor below its opposite: whole numbers of JSON may be beyond every float."""

GROUPS = ("any", "all", "not")
NUMERIC = "write it without quotes; true and false are no numbers"


@bounded
def parse(conditions: object, field: str = "conditions") -> Condition:
    """The condition that `conditions` writes. `field`: its name in errors.

    Raises:
        BadInput: an unknown metric or operator, a value of another type, bounds that exclude each other, nothing at
            all, or more than 5 levels or 50 comparisons.
    """
    found = _node(conditions, field, 1)
    if sum(1 for _ in leaves(found)) > MOST_LEAVES:
        raise BadInput(f"{field} has more than {MOST_LEAVES} comparisons", field=field, remedy="write several policies")
    return found


def _node(written: object, field: str, depth: int) -> Condition:
    if not isinstance(written, Mapping):
        raise _bad(field, written, "no mapping", "write {metric: {operator: value}}")
    if not written:
        raise BadInput(
            f"{field} is empty, and would hold for every run", field=field, value="{}",
            remedy="name a metric, such as {'error_rate': {'>=': 0.3}}",
        )  # fmt: skip
    if depth > MOST_DEPTH:
        raise BadInput(f"{field} is nested deeper than {MOST_DEPTH}", field=field, remedy="write several policies")
    parts = tuple(part for name, inner in written.items() for part in _entry(name, inner, field, depth))
    check_together(parts, field)
    return parts[0] if len(parts) == 1 else All(parts)


def _entry(name: object, inner: object, field: str, depth: int) -> Iterator[Condition]:
    where = f"{field}.{name}"
    if name in ("any", "all"):
        if not isinstance(inner, list | tuple) or not inner:
            raise _bad(where, inner, "no list of conditions", "write a list with one condition or more")
        parts = tuple(_node(one, f"{where}[{number}]", depth + 1) for number, one in enumerate(inner))
        yield AnyOf(parts) if name == "any" else All(parts)
    elif name == "not":
        yield Not(_node(inner, where, depth + 1))
    elif name not in METRICS:
        close = nearest(name, (*METRICS, *GROUPS))
        remedy = f"did you mean '{close}'?" if close else "see docs/reference/recovery.md for all metrics"
        raise BadInput(f"there is no metric '{str(name)[:60]}'", field=where[:200], value=str(name)[:60], remedy=remedy)
    else:
        if not isinstance(inner, Mapping) or not inner:
            remedy = f"write {{'{name}': {{'{'>=' if METRICS[str(name)].kind == NUMBER else '=='}': value}}}}"
            raise _bad(where, inner, "no comparison", remedy)
        for op, bound in inner.items():
            yield _leaf(str(name), op, bound, f"{where}.{op}")


def _leaf(metric: str, op: object, bound: object, field: str) -> Leaf:
    allowed = ALLOWED[METRICS[metric].kind]
    if op not in allowed:
        told = f"'{str(op)[:20]}' is no operator" + (f" for {metric}" if op in OPERATORS else "")
        raise BadInput(told, field=field[:200], value=str(op)[:20], remedy=f"one of: {' '.join(allowed)}")
    if op not in ("in", "not_in"):
        return Leaf(metric, str(op), _value(metric, bound, field))
    if not isinstance(bound, list | tuple) or not 1 <= len(bound) <= MOST_VALUES:
        raise _bad(field, bound, "no list", f"a list of 1 to {MOST_VALUES} values")
    return Leaf(metric, str(op), tuple(_value(metric, one, f"{field}[{number}]") for number, one in enumerate(bound)))


def _value(metric: str, value: object, field: str) -> float | int | str:
    known = METRICS[metric]
    if known.kind == NUMBER:
        if isinstance(value, bool) or not isinstance(value, int | float) or not -MOST <= value <= MOST:
            raise _bad(field, value, "no number", NUMERIC)
        return value
    if not isinstance(value, str) or not value or len(value) > LONGEST:
        raise _bad(field, value, "no text", f"a text of 1 to {LONGEST} characters")
    if known.words and value not in known.words and not field.endswith(".contains"):
        close = nearest(value, known.words)
        remedy = f"did you mean '{close}'? " if close else ""
        raise _bad(field, value, f"no {metric}", f"{remedy}one of: {', '.join(known.words)}")
    return value


def _bad(field: str, value: object, what: str, remedy: str) -> BadInput:
    shown = repr(value)[:60]
    return BadInput(f"{field[:200]} is {what}: {shown}", field=field[:200], value=shown, remedy=remedy)

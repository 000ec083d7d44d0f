"""The nodes of a condition, and what it is held against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

Value = float | int | str | frozenset[str] | None
"""Of a metric; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something that the clock moves: `per_second` at each second after `zero`, where it is 0."""

    zero: datetime
    per_second: float = 1.0

    def at(self, now: datetime) -> float:
        """Its value at a moment."""
        return (now - self.zero).total_seconds() * self.per_second

    def reaches(self, value: float) -> datetime | None:
        """The first moment that is surely past `value`; None of one beyond any calendar."""
        try:
            return self.zero + timedelta(seconds=value / self.per_second, microseconds=2)
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True)
class Metrics:
    """A run's figures at `now`. `values`: by metric. `lines`: of those that the clock moves; the highest counts."""

    now: datetime
    values: Mapping[str, Value]
    lines: Mapping[str, Sequence[Line]]

    def at(self, now: datetime) -> Metrics:
        """The same at another moment, if nothing has happened between."""
        moved = {name: max(line.at(now) for line in lines) for name, lines in self.lines.items() if lines}
        return Metrics(now, {**self.values, **moved}, self.lines)

    def reaches(self, name: str, value: float) -> list[datetime]:
        """The moments at which a metric that the clock moves passes `value`; [] of one that stands still."""
        return [moment for line in self.lines.get(name, ()) if (moment := line.reaches(value)) is not None]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison. `bound`: a number, a text, or a tuple of such for `in` and `not_in`."""

    metric: str
    op: str
    bound: float | int | str | tuple[float | int | str, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Holds if all parts do."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds if a part does."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Holds if the part does not; unknown if that is unknown."""

    part: Condition


Condition = Leaf | All | AnyOf | Not


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Every comparison in it, in the order in which they were written."""
    match condition:
        case Leaf():
            yield condition
        case Not():
            yield from leaves(condition.part)
        case All() | AnyOf():
            for part in condition.parts:
                yield from leaves(part)


def names(condition: Condition) -> frozenset[str]:
    """The metrics that it asks for."""
    return frozenset(leaf.metric for leaf in leaves(condition))

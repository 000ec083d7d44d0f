"""Which known name was probably meant: what stands behind every "did you mean".

Its cost is bounded, however many names come in and however they are made: all that is likened within one call of a
function marked `bounded` has one budget together. It is counted in steps of work and not in time, so the same names
have the same answer on every machine. Once it is spent, no name is near any more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from difflib import Match, SequenceMatcher
from functools import wraps
from typing import ParamSpec, TypeVar

MOST_WORK = 2_000_000
"""About 0.2 s: pairs of characters that are held against each other, and what each pair of names costs before that."""

LONGEST = 100
"""Characters of a name that are looked at."""

PER_PAIR, PER_LOOK, PER_SEARCH = 5, 20, 60
"""For each pair of names; where their lengths fit; for each search for a common part of theirs."""

DIGITS = re.compile(r"\d+")

P = ParamSpec("P")
R = TypeVar("R")


class _Spent(Exception):
    pass


@dataclass(slots=True)
class _Budget:
    left: int = MOST_WORK

    def take(self, work: int) -> None:
        self.left -= work
        if self.left < 0:
            raise _Spent


_shared: ContextVar[_Budget | None] = ContextVar("likeness", default=None)


def bounded(function: Callable[P, R]) -> Callable[P, R]:
    """All that `function` and what it calls liken has one budget. Not for generators, which work after they return."""

    @wraps(function)
    def within(*args: P.args, **kwargs: P.kwargs) -> R:
        if _shared.get() is not None:
            return function(*args, **kwargs)
        token = _shared.set(_Budget())
        try:
            return function(*args, **kwargs)
        finally:
            _shared.reset(token)

    return within


def nearest(name: object, known: Iterable[str], *, cutoff: float = 0.6, but_numbers: bool = False) -> str:
    """The known word that `name` was probably meant to be; '' if none is near, or the budget is spent.

    `cutoff`: how alike they have to be, 1 for the same. `but_numbers`: names that differ in their numbers alone are
    other names.
    """
    budget = _shared.get() or _Budget()
    try:
        return _nearest(str(name)[:LONGEST], known, cutoff, but_numbers, budget)
    except _Spent:
        return ""


def _nearest(name: str, known: Iterable[str], cutoff: float, but_numbers: bool, budget: _Budget) -> str:
    """As `difflib.get_close_matches` finds the first, but what cannot beat the best so far is not looked into."""
    budget.take(PER_PAIR + len(name))
    matcher = _Matcher(name, budget)
    bare = DIGITS.sub("", name)
    best = (cutoff, "")
    for key in known:
        budget.take(PER_PAIR)
        both = len(key) + len(name)
        if 2 * min(len(key), len(name)) < best[0] * both:
            continue
        budget.take(PER_LOOK + both)
        matcher.look_at(key)
        if matcher.quick_ratio() < best[0] or (but_numbers and DIGITS.sub("", key) == bare):
            continue
        best = max(best, (matcher.ratio(), key))
    return best[1]


class _Matcher(SequenceMatcher[str]):
    """Takes each search for a common part from the budget: their number for two names may be that of their letters."""

    def __init__(self, name: str, budget: _Budget) -> None:
        super().__init__(b=name)
        self.budget = budget
        self.times = Counter(name)
        self.key = ""

    def look_at(self, key: str) -> None:
        self.key = key
        self.set_seq1(key)

    def find_longest_match(self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None) -> Match:
        self.budget.take(PER_SEARCH + sum(1 + self.times[letter] for letter in self.key[alo:ahi]))
        return super().find_longest_match(alo, ahi, blo, bhi)

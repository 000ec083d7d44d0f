"""Counters and distributions of this process, since they were taken last."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

MOST_SERIES = 5000
DROPPED = "zen_metrics_dropped_total"
STEPS_TO_DOUBLE = 4
LEAST = 2**-20
"""Values up to this share a bucket; of a second it is a microsecond."""

Series = tuple[str, tuple[tuple[str, str], ...]]
"""A name, and its labels in the order of their names."""


@dataclass(slots=True)
class Values:
    """`count`: how often, or by how much in all for a counter. `total`: the sum of what was observed.

    `buckets`: how many values were in each; bucket n ends at 2 ** (n / 4), so a value is told to within a fifth.
    """

    count: float = 0
    total: float = 0
    buckets: dict[int, int] = field(default_factory=dict)


_lock = threading.Lock()
_series: dict[Series, Values] = {}
_on_first: Callable[[], None] | None = None


def count(name: str, amount: float = 1, /, **labels: str) -> None:
    """Add to a counter. `name` ends in `_total`. NaN, infinity and what no float holds are dropped."""
    if not _is_finite(amount):
        count(DROPPED)
        return
    key = _key(name, labels)
    with _lock:
        _values(key, amount).count += amount


def observe(name: str, value: float, /, **labels: str) -> None:
    """Add a value to a distribution. `name` ends in its unit, such as `_seconds`. Drops what `count` drops."""
    if not _is_finite(value):
        count(DROPPED)
        return
    key, bucket = _key(name, labels), bucket_of(value)
    with _lock:
        found = _values(key, 1)
        found.count += 1
        found.total += value
        found.buckets[bucket] = found.buckets.get(bucket, 0) + 1


def bucket_of(value: float) -> int:
    """The number of the bucket that holds the value: the smallest n with value <= 2 ** (n / 4)."""
    return math.ceil(STEPS_TO_DOUBLE * math.log2(max(value, LEAST)))


def give_back(taken: dict[Series, Values]) -> None:
    """Add to what has come since what was taken and not stored; more series than there is room for are dropped."""
    for key, values in taken.items():
        with _lock:
            found = _values(key, values.count)
            found.count += values.count
            found.total += values.total
            for bucket, number in values.buckets.items():
                found.buckets[bucket] = found.buckets.get(bucket, 0) + number


def on_first(do: Callable[[], None] | None) -> None:
    """Call `do` when there is something to take and was nothing before; it must not wait or raise."""
    global _on_first
    _on_first = do


def take() -> dict[Series, Values]:
    """All that has come since the last call. It is the caller's now: nobody else gets it."""
    global _series
    with _lock:
        taken, _series = _series, {}
    return taken


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def _key(name: str, labels: dict[str, str]) -> Series:
    return name, tuple(sorted(labels.items())) if len(labels) > 1 else tuple(labels.items())


def _values(key: Series, amount: float) -> Values:
    """Those of the series, under the lock; beyond the bound on their number they go nowhere, and that is counted."""
    found = _series.get(key)
    if found is None:
        if len(_series) >= MOST_SERIES and key[0] != DROPPED:
            _series.setdefault((DROPPED, ()), Values()).count += amount
            return Values()
        if not _series and _on_first is not None:
            _on_first()
        found = _series[key] = Values()
    return found


def _after_fork() -> None:
    """A thread that is not in the child may have held the lock; what the parent has counted is the parent's."""
    global _lock, _series
    _lock, _series = threading.Lock(), {}


os.register_at_fork(after_in_child=_after_fork)

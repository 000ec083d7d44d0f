"""What is usual: how long steps and runs took that succeeded undisturbed, and what is therefore slow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

ENOUGH = 20
"""Successes from which on the past says what is slow."""

WEEK = 7 * 86_400.0
STEPS_TO_DOUBLE = 4
LEAST = 2**-10
"""Seconds. Anything shorter is as good as at once."""

SLOW_FACTOR, SLOW_MORE, SLOW_LEAST = 3.0, 30.0, 60.0
OF_TIMEOUT = 0.8
UNKNOWN_SLOW = 3600.0


@dataclass(frozen=True, slots=True)
class Sketch:
    """A distribution of seconds: {bucket: weight}; bucket n ends at 2 ** (n / 4), so a value is told to a fifth.

    Weights halve each week, so that what has changed is believed within a few.
    """

    buckets: Mapping[int, float] = field(default_factory=dict)

    @property
    def weight(self) -> float:
        """How many values it stands for; old ones count less."""
        return sum(self.buckets.values())

    def quantile(self, share: float) -> float | None:
        """Seconds that this share of the values is not above; None of nothing."""
        left = share * self.weight
        if not self.buckets:
            return None
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 1e-9:
                return float(2 ** (bucket / STEPS_TO_DOUBLE))
        return float(2 ** (max(self.buckets) / STEPS_TO_DOUBLE))

    def with_values(self, values: Iterable[float], *, age: float) -> Sketch:
        """With more values, after the old ones have aged by so many seconds."""
        kept = 0.5 ** (max(0.0, age) / WEEK)
        buckets = {bucket: weight * kept for bucket, weight in self.buckets.items() if weight * kept > 0.01}
        for value in values:
            bucket = bucket_of(value)
            buckets[bucket] = buckets.get(bucket, 0.0) + 1.0
        return Sketch(buckets)


def bucket_of(seconds: float) -> int:
    """The smallest n with seconds <= 2 ** (n / 4)."""
    return math.ceil(STEPS_TO_DOUBLE * math.log2(max(seconds, LEAST)) - 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """What is usual for one step, or for the runs of one saga. `n`: successes; `p50`, `p95`, `p99`: seconds."""

    n: float = 0.0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


NONE = Norm()


@dataclass(frozen=True, slots=True)
class Bound:
    """From how many seconds on something is slow, and why: a sentence's second half."""

    seconds: float
    why: str


def slow(norm: Norm, timeout_seconds: float | None, words: str) -> Bound:
    """The bound of what `norm` is about. Without enough of a past, four fifths of its timeout, or an hour.

    `words`: p95 in words.
    """
    if norm.p95 is not None and norm.n >= ENOUGH:
        seconds = max(SLOW_FACTOR * norm.p95, norm.p95 + SLOW_MORE, SLOW_LEAST)
        return Bound(seconds, f"95 of 100 took less than {words}")
    if timeout_seconds is not None:
        return Bound(OF_TIMEOUT * timeout_seconds, "most of the time that it has is gone")
    return Bound(UNKNOWN_SLOW, "nothing is known yet of how long it takes")


class Norms:
    """Norms by (saga, step, purpose); a run's own is under the step ''."""

    def __init__(self, found: Mapping[tuple[str, str, str], Norm] | None = None) -> None:
        self._found = dict(found or {})

    def of(self, saga_id: str, step_id: str = "", purpose: str = "forward") -> Norm:
        """The norm, or one that knows nothing."""
        return self._found.get((saga_id, step_id, purpose), NONE)

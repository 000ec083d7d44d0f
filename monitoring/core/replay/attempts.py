"""The attempts of a run's past, as they were at a moment: in flight, failed last, and counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from monitoring.core.facts import Counted
from monitoring.core.replay.history import Tried

NOT_BEGUN, FAILURES = ("parked", "skipped"), ("failed", "retryable", "unknown")
NEVER = datetime.max.replace(tzinfo=UTC)


class Attempts:
    """`flying`: those that have begun and not ended; `failed`: the last that did, by step and purpose; `counted`."""

    def __init__(self, tried: Iterable[Tried]) -> None:
        begun = [one for one in tried if _began(one) < NEVER]
        self._to_begin = sorted(begun, key=_began, reverse=True)
        self._to_end = sorted((one for one in begun if one.ended_at), key=_ended, reverse=True)
        self._firsts: set[tuple[str, str, int]] = set()
        self.flying: list[Tried] = []
        self.failed: dict[tuple[str, str], Tried] = {}
        self.counted = Counted()

    def go_to(self, now: datetime) -> None:
        """Take in what has begun and ended by then; never back in time."""
        while self._to_begin and _began(self._to_begin[-1]) <= now:
            self._begin(self._to_begin.pop())
        while self._to_end and _ended(self._to_end[-1]) <= now:
            self._end(self._to_end.pop())

    def _begin(self, one: Tried) -> None:
        self.flying.append(one)
        if one.outcome in NOT_BEGUN:
            return
        place = (one.step_id, one.purpose, one.iteration)
        again = place in self._firsts
        self._firsts.add(place)
        self.counted = replace(
            self.counted, attempts=self.counted.attempts + 1, retries=self.counted.retries + again
        )  # fmt: skip

    def _end(self, one: Tried) -> None:
        self.flying.remove(one)
        if one.outcome in FAILURES:
            self.failed[one.step_id, one.purpose] = one
        if one.outcome in NOT_BEGUN:
            return
        took = (_ended(one) - one.started_at).total_seconds() if one.started_at else 0.0
        before = self.counted
        self.counted = replace(
            before, ended=before.ended + 1, failed=before.failed + (one.outcome in FAILURES),
            worker_losses=before.worker_losses + max(0, one.tries - 1), busy=before.busy + took,
        )  # fmt: skip


def _began(one: Tried) -> datetime:
    """Some end without a beginning: their action could not be made up."""
    return one.started_at or one.ended_at or NEVER


def _ended(one: Tried) -> datetime:
    return one.ended_at or NEVER

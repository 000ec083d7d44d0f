"""A pass over all that is old enough: small transactions, each kind in its turn, as long as it may take."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from foundation import audit
from foundation.clock import database_now, iso
from foundation.db.outages import AWAY
from foundation.guarded import guarded
from foundation.identity.actor import Actor
from foundation.telemetry import count
from monitoring.retention import ages, old_rows
from monitoring.retention.families import Family, end_of
from monitoring.retention.pace import Pace
from monitoring.retention.stages import Done, condense, condensed, drop_lines, removable, remove, to_condense
from monitoring.retention.walk import Walk
from monitoring.watch import loops

log = logging.getLogger("workflows")
Act = Callable[[Sequence[Family], Actor], Done]
LINES, DETAILS, RUNS = "lines", "details", "runs"
ACTS: dict[str, Act] = {RUNS: remove, DETAILS: condense, LINES: drop_lines}
"""In the order of their turns: what is old enough to be removed need not be condensed first."""
OLD: dict[str, tuple[int, Callable[[datetime, int, int], old_rows.Page], Callable[[list[int]], Counter[str]]]] = {
    "alerts": (ages.ALERTS_DAYS, old_rows.old_alerts, old_rows.delete_alerts),
    "attempts": (ages.ALERTS_DAYS, old_rows.old_attempts, old_rows.delete_attempts),
    "notices": (ages.NOTICES_DAYS, old_rows.old_notices, old_rows.delete_notices),
}
LOOKED_AT = 500
"""Families that are counted together, and rows that are looked at together."""


@dataclass(slots=True)
class Pruning:
    """One pass. `step` does a batch. `condensed`, `removed`: runs.

    `dry`: it counts and changes nothing. `anew`: it looks at all that has ended, and not from where the last pass was.
    `carry_on`: what cannot be done (a disk is full) is logged and left for the next pass, and the rest is done.
    """

    by: Actor
    dry: bool = False
    anew: bool = False
    carry_on: bool = False
    condensed: int = 0
    removed: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    worked: float = 0.0
    _walks: dict[str, tuple[Walk, datetime]] = field(default_factory=dict)
    _turns: list[str] = field(default_factory=list)
    _after: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OLD, 0))
    _pace: dict[str, Pace] = field(default_factory=lambda: {name: Pace() for name in ACTS})

    def __post_init__(self) -> None:
        now = database_now()
        stored = {} if self.anew else (loops.told(loops.PRUNE).get("detail") or {}).get("walks") or {}
        untils = {RUNS: ages.runs_until(), DETAILS: ages.details_until(), LINES: ages.lines_until()}
        for name, until in untils.items():
            if until is not None and not (self.dry and name == LINES):
                self._walks[name] = (Walk.stored(stored.get(name), now), until)
        self._turns = [*self._walks, *(() if self.dry else OLD)]

    def step(self) -> bool:
        """Do a batch of what has its turn; False once nothing is left to do."""
        if not self._turns:
            return False
        name, began = self._turns.pop(0), time.monotonic()
        more = guarded(partial(self._batch, name), partial(self._left, name))
        self.worked += time.monotonic() - began
        if more:
            self._turns.append(name)
        return bool(self._turns)

    def result(self) -> dict[str, Any]:
        """What came of it. `left`: ends that wait to be looked at; `oldest`: the first of them."""
        runs = {name: one for name, one in self._walks.items() if name != LINES}
        ends = [at for walk, until in runs.values() if (at := walk.oldest(until)) is not None]
        left, oldest = max((walk.left(until) for walk, until in runs.values()), default=0), min(ends, default=None)
        return {
            "dry_run": self.dry, "condensed": self.condensed, "removed": self.removed, "left": left,
            "oldest": iso(oldest), "seconds": round(self.worked, 3),
        }  # fmt: skip

    def lag(self) -> float:
        """Seconds that the oldest thing left is late; 0 when nothing is left."""
        late = [(walk.oldest(until), until) for walk, until in self._walks.values()]
        return max((max(0.0, (until - at).total_seconds()) for at, until in late if at is not None), default=0.0)

    def finish(self) -> dict[str, Any]:
        """Remember how far it has come, write its line in the audit, and return the result."""
        found = self.result()
        if self.dry:
            return found
        rest = {name: n for name, n in self.rows.items() if n and not name.startswith("orchestration_")}
        if lines := self.rows["orchestration_runline"]:
            rest["orchestration_runline"] = lines
        if rest:
            audit.record(actor=self.by, action="prune.rows", rows=rest)
        lag = self.lag()
        loops.make(loops.PRUNE)
        loops.done(
            loops.PRUNE, took=self.worked, lag=lag,
            detail={"walks": {name: walk.as_json() for name, (walk, _) in self._walks.items()}, "last": found},
        )  # fmt: skip
        return found

    def _batch(self, name: str) -> bool:
        return self._families(name) if name in self._walks else self._old(name)

    def _left(self, name: str, error: Exception) -> bool:
        if not self.carry_on or isinstance(error, AWAY):
            raise error
        log.error("%s cannot be pruned; they are left for the next pass", name, exc_info=error)
        return False

    def _families(self, name: str) -> bool:
        walk, until = self._walks[name]
        pace = self._pace[name]
        families = walk.take(
            until, LOOKED_AT if self.dry or name == LINES else pace.batch, condensed if name == DETAILS else _none
        )
        if families is None:
            return False
        if name == DETAILS:
            families = self._staying(families)
        if self.dry:
            self._counted(name, families)
        elif families:
            with pace.timed():
                self._noted(name, ACTS[name](families, self.by))
        walk.passed()
        return True

    def _staying(self, families: list[Family]) -> list[Family]:
        """Those that are not old enough to be removed, which would be done twice, or that are kept all the same."""
        _, until = self._walks.get(RUNS, (None, None))
        old = [one for one in families if until is not None and (end := end_of(one)) is not None and end[0] <= until]
        leaving = {family[0].pk for family in removable(old)} if old else set()
        return [family for family in families if family[0].pk not in leaving]

    def _counted(self, name: str, families: Sequence[Family]) -> None:
        if name == RUNS:
            self.removed += sum(map(len, removable(families)))
        elif name == DETAILS:
            self.condensed += to_condense(families)

    def _noted(self, name: str, done: Done) -> None:
        self.condensed += done.runs if name == DETAILS else 0
        self.removed += done.runs if name == RUNS else 0
        self._count_rows(done.rows)

    def _count_rows(self, rows: Counter[str]) -> None:
        self.rows.update(rows)
        for table, number in rows.items():
            if number:
                count("zen_pruned_rows_total", number, table=table)

    def _old(self, name: str) -> bool:
        days, find, delete = OLD[name]
        until = ages.until_of(days)
        if until is None:
            return False
        ids, self._after[name] = find(until, self._after[name], LOOKED_AT)
        if ids:
            self._count_rows(delete(ids))
        return bool(self._after[name])


def _none(run_ids: Collection[int]) -> Collection[int]:
    """Of these runs none is known to be done with."""
    return ()

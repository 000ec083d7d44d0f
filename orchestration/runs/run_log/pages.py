"""Pages of a run's log, and the cursors between them."""

from __future__ import annotations

import heapq
import logging
import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from foundation.clock import now
from foundation.errors import BadInput
from orchestration.core.likeness import nearest
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.models import Run
from orchestration.runs.run_log.sources import AGENT, SOURCES, Asked, Found

MOST = 10_000
SETTLED = timedelta(seconds=3)
LEVELS = ("debug", "info", "warning", "error", "critical")
CURSOR = re.compile(rf"\d{{1,18}}(?:\.\d{{1,18}}){{{len(SOURCES) - 1}}}", re.ASCII)


def log_entries(
    run: Run, *, step_id: str = "", level: str = "", after: str = "", limit: int = 1000
) -> list[dict[str, Any]]:
    """Entries of the run's log behind the cursor `after`, the earlier ones first (docs/reference/api.md).

    `step_id`: only what is about this step. `level`: this one and those above it. `after`: the `seq` of an entry, ''
    from the beginning. An entry's `seq` is the cursor behind it; with other filters it means the same place.

    Raises:
        BadInput: no such step or level, no cursor, or a limit that is not between 1 and MOST.
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST:
        raise BadInput(f"limit is not a whole number from 1 to {MOST}", field="limit")
    _check_step(run, step_id)
    numbers = _numbers(after)
    asked = Asked(step_id=step_id, level=_level(level))
    pages = [source.after(run, numbers[n], limit, asked) for n, source in enumerate(SOURCES)]
    entries: list[dict[str, Any]] = []
    for n, found in _merged(pages):
        numbers[n] = found.number
        entries.append({**found.entry, "seq": _cursor(numbers)})
        if len(entries) == limit:
            break
    return entries


def _check_step(run: Run, step_id: str) -> None:
    """Refuse a step that the run does not have."""
    steps = compiled_plan(run).steps if step_id else {}
    if step_id and step_id not in steps:
        close = nearest(step_id, steps)
        remedy = f"did you mean '{close}'?" if close else f"its steps: {', '.join(list(steps)[:20])}"
        raise BadInput(f"run '{run.workflow_id}' has no step {step_id[:80]!r}", field="step_id", remedy=remedy)


def latest_entries(run: Run, most: int) -> list[dict[str, Any]]:
    """The last entries, the earlier ones first. Their `seq` is '': they are no place to go on from."""
    merged = _merged([source.latest(run, most) for source in SOURCES])
    return [found.entry for _, found in merged][-most:]


def shown_number(entry: dict[str, Any]) -> int | None:
    """Which attempt an entry is of, for people: an agent's is its session, and a mere look for an endpoint is none."""
    session: int | None = entry.get("session")
    return session or (None if entry["data"].get("logger") == AGENT else entry["attempt"])


def check_cursor(cursor: str) -> None:
    """Raises BadInput for what is no cursor; '' is one."""
    _numbers(cursor)


def is_complete(run: Run) -> bool:
    """Whether nothing more will come: the run has ended, and so has the time in which the last lines are written."""
    return run.finished_at is not None and run.finished_at < now() - SETTLED


def log_position(run: Run) -> str:
    """The cursor behind all that there is now."""
    return _cursor([source.last(run) for source in SOURCES])


def _merged(pages: Iterable[list[Found]]) -> Iterator[tuple[int, Found]]:
    """By time, but those of one source in its own order: an entry that was written late waits for those before it."""
    ordered = [list(_in_turn(n, page)) for n, page in enumerate(pages)]
    for _, n, found in heapq.merge(*ordered, key=lambda one: (one[0], one[1])):
        yield n, found


def _in_turn(n: int, page: list[Found]) -> Iterator[tuple[datetime, int, Found]]:
    latest: datetime | None = None
    for found in page:
        latest = found.at if latest is None else max(latest, found.at)
        yield latest, n, found


def _cursor(numbers: Iterable[int]) -> str:
    return ".".join(map(str, numbers))


def _numbers(cursor: str) -> list[int]:
    if not cursor:
        return [0] * len(SOURCES)
    if not isinstance(cursor, str) or not CURSOR.fullmatch(cursor):
        remedy = "the `seq` of an entry, or nothing for the beginning"
        raise BadInput("this is no cursor of a log", field="after", remedy=remedy)
    return [int(number) for number in cursor.split(".")]


def _level(word: str) -> int:
    if not word:
        return 0
    if not isinstance(word, str) or word.lower() not in LEVELS:
        raise BadInput(f"'{str(word)[:80]}' is not a level", field="level", remedy=f"one of: {', '.join(LEVELS)}")
    return logging.getLevelNamesMapping()[word.upper()]

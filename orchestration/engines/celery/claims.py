"""Claim commands (see `orchestration.engines`) by one conditional UPDATE: no two workers get the same one."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from foundation.db import statements
from orchestration.models import Command

_COLUMNS = ("id", "run_id", "kind", "timer", "step_id", "purpose", "iteration", "attempt", "alternative", "queue",
            "turn", "due_at", "started_at", "epoch", "tries", "cancel_requested")  # fmt: skip

# MATERIALIZED: inlined, PostgreSQL may run the SELECT again for every row it updates and take more than the limit.
# Each condition is an index's own: command_to_claim has the actions of a queue by their turns, timer_to_claim the rest.
_CLAIM = f"""
WITH first AS MATERIALIZED (
    SELECT id FROM orchestration_command
    WHERE status = 'ready' AND {{which}} ORDER BY {{order}} LIMIT %s {{skip_locked}}
)
UPDATE orchestration_command
SET status = 'running', worker = %s, epoch = epoch + 1, tries = tries + 1, started_at = %s
WHERE id IN (SELECT id FROM first) AND status = 'ready'
RETURNING {", ".join(_COLUMNS)}
"""  # noqa: S608 - constants

_ACTIONS = "kind = 'run_action' AND queue = %s AND due_at <= %s"
_TIMERS = "kind = 'start_timer' AND due_at <= %s"


def claiming(worker: str, queue: str, now: datetime, most: int) -> statements.Statement:
    """What takes up to `most` of the queue's actions, by their turns; `commands_of` reads its rows."""
    moment = statements.moment(now)
    return statements.Statement(_text(_ACTIONS, "turn, id"), [queue, moment, most, worker, moment])


def claiming_timers(worker: str, now: datetime, most: int) -> statements.Statement:
    """What takes up to `most` of the timers that are due, the oldest first."""
    moment = statements.moment(now)
    return statements.Statement(_text(_TIMERS, "due_at, id"), [moment, most, worker, moment])


def commands_of(worker: str, found: list[tuple[object, ...]]) -> list[Command]:
    """The claimed rows in the order in which they were chosen."""
    rows = [_command(worker, values) for values in found]
    return sorted(rows, key=lambda row: (row.turn, row.pk) if row.kind == "run_action" else (row.due_at, row.pk))


def anything_due(queue: str, now: datetime) -> bool:
    """Whether an action of the queue is due.

    Takes no lock, so that idle workers do not queue for SQLite's one writer.
    """
    text = f"SELECT 1 FROM orchestration_command WHERE status = 'ready' AND {_ACTIONS} LIMIT 1"  # noqa: S608
    return bool(statements.rows_of(statements.Statement(text, [queue, statements.moment(now)]))[0])


def next_timer() -> datetime | None:
    """When the first of the timers that wait is due; None when none waits."""
    text = (
        "SELECT due_at FROM orchestration_command WHERE status = 'ready' AND kind = 'start_timer' "
        "ORDER BY due_at, id LIMIT 1"
    )
    for (due,) in statements.rows_of(statements.Statement(text, []))[0]:
        found: datetime = statements.as_moment(due)
        return found
    return None


def first_turn(queue: str) -> int | None:
    """The turn of the first action that is ready in a queue; None when none is."""
    text = (
        "SELECT turn FROM orchestration_command WHERE status = 'ready' AND kind = 'run_action' AND queue = %s "
        "ORDER BY turn, id LIMIT 1"
    )
    for (turn,) in statements.rows_of(statements.Statement(text, [queue]))[0]:
        return int(turn)
    return None


def _text(which: str, order: str) -> str:
    skip_locked = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    return _CLAIM.format(which=which, order=order, skip_locked=skip_locked)


def _command(worker: str, values: tuple[object, ...]) -> Command:
    fields = dict(zip(_COLUMNS, values, strict=True))
    for name in ("due_at", "started_at"):
        fields[name] = statements.as_moment(fields[name])
    return Command(**fields, status=Command.RUNNING, worker=worker)

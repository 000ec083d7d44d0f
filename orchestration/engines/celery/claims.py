"""Claim commands: one conditional UPDATE, so two workers never get the same one."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from orchestration import sql
from orchestration.models import Command

_COLUMNS = ("id", "run_id", "kind", "timer", "step_id", "purpose", "iteration", "attempt", "alternative", "due_at",
            "epoch", "tries", "cancel_requested")  # fmt: skip

# MATERIALIZED: inlined, PostgreSQL may run the SELECT again for every row it updates and take more than the limit.
_CLAIM = f"""
WITH oldest AS MATERIALIZED (
    SELECT id FROM orchestration_command
    WHERE status = 'ready' AND due_at <= %s ORDER BY due_at, id LIMIT %s {{skip_locked}}
)
UPDATE orchestration_command
SET status = 'running', worker = %s, epoch = epoch + 1, tries = tries + 1, started_at = %s
WHERE id IN (SELECT id FROM oldest) AND status = 'ready'
RETURNING {", ".join(_COLUMNS)}
"""  # noqa: S608 - constants


def claiming(worker: str, now: datetime, most: int) -> sql.Statement:
    """What takes up to `most` of the commands that are due, the oldest first; `commands_of` reads its rows."""
    skip_locked = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    moment = sql.moment(now)
    return sql.Statement(_CLAIM.format(skip_locked=skip_locked), [moment, most, worker, moment])


def commands_of(worker: str, found: list[tuple[object, ...]]) -> list[Command]:
    return sorted((_command(worker, values) for values in found), key=lambda row: (row.due_at, row.pk))


def anything_due(now: datetime) -> bool:
    """A look that takes no lock: an idle worker must not queue for the writer's place."""
    text = "SELECT 1 FROM orchestration_command WHERE status = 'ready' AND due_at <= %s LIMIT 1"
    return bool(sql.rows_of(sql.Statement(text, [sql.moment(now)]))[0])


def _command(worker: str, values: tuple[object, ...]) -> Command:
    fields = dict(zip(_COLUMNS, values, strict=True))
    fields["due_at"] = sql.as_moment(fields["due_at"])
    return Command(**fields, status=Command.RUNNING, worker=worker)

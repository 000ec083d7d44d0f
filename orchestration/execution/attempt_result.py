"""The result of an attempt: as a value, as the flow's event, and on the attempt's row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from foundation.db import statements
from orchestration.core.enums import Cause, Outcome, Purpose
from orchestration.core.saga.events import ActionEnded
from orchestration.models import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """The result of an attempt, as its row and the flow's event have it.

    `maybe`: possibly done. `probed`: a probe has told. `retry_after`: seconds that the service asked for.
    `undo_action`: the compensation, rendered and frozen (rule 8). `deferred`: the end comes later as an event, from a
    child run. `resume_at` (aware): when a `wait` is over.
    """

    outcome: Outcome
    maybe: bool = False
    probed: bool = False
    retry_after: float | None = None
    error: str = ""
    output: JsonValue = None
    undo_action: JsonValue = None
    detail: Mapping[str, JsonValue] = field(default_factory=dict)
    deferred: bool = False
    resume_at: datetime | None = None
    cause: Cause | None = None

    def event(self, row: Command, at: datetime) -> ActionEnded:
        """The event that tells the run of this end."""
        return ActionEnded(
            at=at,
            step_id=row.step_id,
            purpose=Purpose(row.purpose),
            iteration=row.iteration,
            attempt=row.attempt,
            outcome=self.outcome,
            maybe=self.maybe,
            probed=self.probed,
            retry_after=self.retry_after,
            error=self.error[:2000],
            resume_at=self.resume_at,
            cause=self.cause,
            tries=max(1, row.tries),
        )


def store_end(row: Command, ended: AttemptResult | None, at: datetime) -> bool:
    """Write one end, as `ends_of` says; False when another worker has claimed the attempt since."""
    return any(statements.rows_of(*ends_of([(row, ended, at)]))[0])


def ends_of(ends: Sequence[tuple[Command, AttemptResult | None, datetime]]) -> list[statements.Statement]:
    """What writes the ends of claimed commands on their rows; None for a timer and for an attempt that was given up.

    It returns the ids that were written: a command that another worker has claimed since is not among them (fencing).
    """
    return statements.update(
        "orchestration_command",
        ("=epoch", "status", "ended_at", "outcome", "maybe", "retry_after", "error", "output", "undo_action", "detail"),
        ("integer", "varchar", "timestamptz", "varchar", "boolean", "float8", "text", "jsonb", "jsonb", "jsonb"),
        [(row.pk, row.epoch, Command.DONE, statements.moment(at), *_columns(ended)) for row, ended, at in ends],
        where="AND t.epoch = v.epoch AND t.status <> 'done'",
    )


def _columns(ended: AttemptResult | None) -> tuple[object, ...]:
    if ended is None:
        return ("", False, None, "", None, None, "{}")
    detail = dict(ended.detail) | ({"probed": True} if ended.probed else {})
    if ended.resume_at:
        detail["resume_at"] = ended.resume_at.isoformat()
    if ended.cause:
        detail["cause"] = ended.cause.value
    return (
        ended.outcome.value,
        ended.maybe,
        ended.retry_after,
        ended.error,
        None if ended.output is None else statements.as_json(ended.output),
        None if ended.undo_action is None else statements.as_json(ended.undo_action),
        statements.as_json(detail),
    )


def stored_end(row: Command) -> AttemptResult:
    """The result that `store_end` wrote: an attempt that is asked for again answers from its row."""
    return AttemptResult(
        outcome=Outcome(row.outcome),
        maybe=row.maybe,
        probed=bool(row.detail.get("probed")),
        resume_at=datetime.fromisoformat(row.detail["resume_at"]) if "resume_at" in row.detail else None,
        cause=Cause(row.detail["cause"]) if "cause" in row.detail else None,
        retry_after=row.retry_after,
        error=row.error,
        output=row.output,
    )

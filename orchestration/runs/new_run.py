"""A run that is not stored yet: whose child it is, and its row."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from foundation import telemetry
from foundation.clock import now
from foundation.db import statements
from foundation.identity.actor import Actor
from orchestration.models import RULES, Definition, Run
from orchestration.runs.start_inputs import LONGEST_HANDLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The step of another run that a child run belongs to."""

    run: Run
    step_id: str
    iteration: int
    attempt: int

    def fields(self) -> dict[str, Any]:
        """The columns of the child's row."""
        return {
            "parent": self.run,
            "parent_step": self.step_id,
            "parent_iteration": self.iteration,
            "parent_attempt": self.attempt,
        }

    def owns(self, run: Run) -> bool:
        """Whether this very step started the run. The handle proves nothing, since anybody may choose one."""
        mine = (self.run.pk, self.step_id, self.iteration)
        return (run.parent_id, run.parent_step, run.parent_iteration) == mine

    def other_handle(self, handle: str) -> str:
        """A handle for the child when another run has taken `handle`: the same at every attempt."""
        told = f"{handle}\n{self.run.pk}\n{self.run.created_at.isoformat()}"
        return f"{handle[: LONGEST_HANDLE - 33]}~{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def unsaved_run(
    handle: str, engine: str, definition: Definition, given: dict[str, Any], actor: Actor, parent: Parent | None, *,
    kind: str = Run.SAGA,
) -> Run:  # fmt: skip
    """The run that a start writes, of now. `given`: its columns `context`, `config` and `input_by`."""
    return Run(
        workflow_id=handle,
        kind=kind,
        engine=engine,
        definition=definition,
        rules=RULES,
        created_at=now(),
        created_by=actor.name,
        created_for=actor.owner,
        created_by_id=actor.user_id,
        created_for_id=actor.owner_id,
        trace=telemetry.traceparent(),
        **given,
        **(parent.fields() if parent else {}),
    )


_COLUMNS = (
    "workflow_id, kind, engine, status, cause, definition_id, rules, context, config, head, version, parent_id, "
    "parent_step, parent_iteration, parent_attempt, error, handed_over, created_at, started_at, finished_at, "
    "created_by, created_for, created_by_id, created_for_id, input_by, trace"
)

_AS_SQL: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("context", "config", "head", "input_by"), statements.as_json),
    **dict.fromkeys(("created_at", "started_at", "finished_at"), statements.moment),
}


def _as_it_is(value: Any) -> Any:
    return value


def insert(run: Run) -> bool:
    """False, and nothing written, when a run has the handle, or one had it that was removed."""
    names = _COLUMNS.split(", ")
    values = [_AS_SQL.get(name, _as_it_is)(getattr(run, name)) for name in names]
    marks = ", ".join(["%s"] * len(names))
    statement = (
        f"INSERT INTO orchestration_run ({_COLUMNS}) SELECT {marks} "  # noqa: S608 - our own names
        "WHERE NOT EXISTS (SELECT 1 FROM orchestration_tombstone WHERE workflow_id = %s) "
        "ON CONFLICT (workflow_id) DO NOTHING RETURNING id"
    )
    for (pk,) in statements.rows_of(statements.Statement(statement, [*values, run.workflow_id]))[0]:
        run.pk = pk
        run._state.adding = False  # noqa: SLF001 - documented by Django
        return True
    return False

"""Rows to the flow's state, and state changes to statements; used by both engines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection

from foundation.db import statements
from orchestration.core.enums import Cause, RunStatus
from orchestration.core.saga.codec import STEP
from orchestration.core.saga.state import SagaState
from orchestration.core.saga.state_change import StateChange
from orchestration.ledger.news import kind_of, news_of
from orchestration.models import Run


def load_state(run: Run) -> SagaState:
    """The flow's state as the rows have it. One query."""
    steps = {row.step_id: STEP.validate_python(row.state) for row in run.steps.all() if row.state}
    head = dict(run.head)
    head.pop("next_seq", None)
    head["status"] = RunStatus(run.status)
    head["cause"] = Cause(run.cause) if run.cause else None
    return SagaState(workflow_id=run.workflow_id, **{**head, "steps": steps})


def write_change(run: Run, page: StateChange) -> None:
    """Write a state change, inside the caller's transaction.

    One of an older version adds its facts and nothing else.
    """
    statements.run(*statements_for([(run, page)]))


def statements_for(pages: Sequence[tuple[Run, StateChange]]) -> list[statements.Statement]:
    """What writes state changes of any runs: three statements, however many there are, and one for news.

    Those of one run come in their order.

    The Run objects get their new heads here already.
    """
    newer: dict[int, Run] = {}
    told: dict[int, tuple[Run, str]] = {}
    for run, page in pages:
        if page.version > run.version:
            before = run.status
            apply_head(run, page)
            newer[run.pk] = run
            told[run.pk] = (run, kind_of(before, run.status, page.facts) or told.get(run.pk, (run, ""))[1])
    return [*events_of(pages), *steps_of(pages), *_heads_of(newer.values()), *news_of(told.values())]


def _heads_of(runs: Iterable[Run]) -> list[statements.Statement]:
    return statements.update(
        "orchestration_run",
        ("head", "version", "status", "cause", "started_at", "finished_at"),
        ("jsonb", "integer", "varchar", "varchar", "timestamptz", "timestamptz"),
        [
            (
                run.pk,
                statements.as_json(run.head),
                run.version,
                run.status,
                run.cause,
                statements.moment(run.started_at),
                statements.moment(run.finished_at),
            )
            for run in runs
        ],
    )


def apply_head(run: Run, page: StateChange) -> None:
    """Put the state change's head, version, status and times on the Run object."""
    run.head = {**page.head, "next_seq": page.first_seq + len(page.facts)}
    run.version = page.version
    run.status = RunStatus(page.head["status"])
    run.cause = page.head["cause"] or ""
    at = page.facts[-1].at if page.facts else None
    run.started_at = run.started_at or at
    run.finished_at = at if run.status.is_end else None


def next_seq(run: Run) -> int:
    """The number of the next entry of the run's event log."""
    return int(run.head.get("next_seq", 1))


def events_of(pages: Sequence[tuple[Run, StateChange]]) -> list[statements.Statement]:
    """What inserts the facts of these state changes into the event logs."""
    return statements.insert(
        "orchestration_event",
        "run_id, seq, at, kind, step_id, data",
        (
            (run.pk, seq, statements.moment(fact.at), fact.kind, fact.step_id, statements.as_json(fact.data))
            for run, page in pages
            for seq, fact in enumerate(page.facts, page.first_seq)
        ),
        on_conflict="(run_id, seq) DO NOTHING",
    )


def steps_of(pages: Sequence[tuple[Run, StateChange]]) -> list[statements.Statement]:
    """What writes the steps that these state changes touched; a step of a later version stays."""
    latest = {
        (run.pk, step_id): (STEP.dump_json(step).decode(), page.version, step.status.value, step.undo.value)
        for run, page in pages
        for step_id, step in page.steps.items()
    }
    return statements.insert(
        "orchestration_step",
        "run_id, step_id, state, version, status, undo",
        ((*key, *values) for key, values in latest.items()),
        on_conflict="(run_id, step_id) DO UPDATE SET state = excluded.state, version = excluded.version, "
        "status = excluded.status, undo = excluded.undo WHERE orchestration_step.version < excluded.version",
    )


_COLUMNS = (  # in the order of the model's fields
    "id", "workflow_id", "engine", "status", "cause", "definition_id", "rules", "context", "config", "head", "version",
    "parent_id", "parent_step", "parent_iteration", "parent_attempt", "execution", "heard", "started_at", "finished_at",
)  # fmt: skip


def locked(run_id: int) -> Run:
    """The run, its row locked until the caller's transaction ends. Columns that the engines do not read are deferred.

    Raises:
        Run.DoesNotExist: there is none.
    """
    statement = f"SELECT {', '.join(_COLUMNS)} FROM orchestration_run WHERE id = %s {statements.for_update()}"  # noqa: S608
    for values in statements.rows_of(statements.Statement(statement, [run_id]))[0]:
        fields = dict(zip(_COLUMNS, values, strict=True))
        for name in ("context", "config", "head"):
            fields[name] = statements.from_json(fields[name])
        for name in ("started_at", "finished_at"):
            fields[name] = statements.as_moment(fields[name])
        return Run.from_db(connection.alias, list(fields), list(fields.values()))
    raise Run.DoesNotExist(f"there is no run {run_id}")

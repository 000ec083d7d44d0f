"""The ledger's rows and the flow's state are one thing: read here, written here, by both engines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection

from orchestration import sql
from orchestration.core.codec import STEP
from orchestration.core.page import Page
from orchestration.core.state import SagaState
from orchestration.core.words import Cause, RunStatus
from orchestration.models import Run


def load_state(run: Run) -> SagaState:
    """The flow's state as the rows have it. One query."""
    steps = {row.step_id: STEP.validate_python(row.state) for row in run.steps.all() if row.state}
    head = dict(run.head)
    head.pop("next_seq", None)
    head["status"] = RunStatus(run.status)
    head["cause"] = Cause(run.cause) if run.cause else None
    return SagaState(workflow_id=run.workflow_id, **{**head, "steps": steps})


def write_page(run: Run, page: Page) -> None:
    """Write a page; older than what stands, it adds its facts and nothing else. Inside the caller's transaction."""
    sql.run(*statements_for([(run, page)]))


def statements_for(pages: Sequence[tuple[Run, Page]]) -> list[sql.Statement]:
    """What writes pages of any runs, those of one run in their order: three statements, however many pages there are.

    The runs get their new heads here already.
    """
    newer: dict[int, Run] = {}
    for run, page in pages:
        if page.version > run.version:
            apply_head(run, page)
            newer[run.pk] = run
    return [*events_of(pages), *steps_of(pages), *_heads_of(newer.values())]


def _heads_of(runs: Iterable[Run]) -> list[sql.Statement]:
    return sql.update(
        "orchestration_run",
        ("head", "version", "status", "cause", "started_at", "finished_at"),
        ("jsonb", "integer", "varchar", "varchar", "timestamptz", "timestamptz"),
        [
            (
                run.pk,
                sql.as_json(run.head),
                run.version,
                run.status,
                run.cause,
                sql.moment(run.started_at),
                sql.moment(run.finished_at),
            )
            for run in runs
        ],
    )


def apply_head(run: Run, page: Page) -> None:
    run.head = {**page.head, "next_seq": page.first_seq + len(page.facts)}
    run.version = page.version
    run.status = RunStatus(page.head["status"])
    run.cause = page.head["cause"] or ""
    at = page.facts[-1].at if page.facts else None
    run.started_at = run.started_at or at
    run.finished_at = at if run.status.is_end else None


def next_seq(run: Run) -> int:
    return int(run.head.get("next_seq", 1))


def events_of(pages: Sequence[tuple[Run, Page]]) -> list[sql.Statement]:
    return sql.insert(
        "orchestration_event",
        "run_id, seq, at, kind, step_id, data",
        (
            (run.pk, seq, sql.moment(fact.at), fact.kind, fact.step_id, sql.as_json(fact.data))
            for run, page in pages
            for seq, fact in enumerate(page.facts, page.first_seq)
        ),
        on_conflict="(run_id, seq) DO NOTHING",
    )


def steps_of(pages: Sequence[tuple[Run, Page]]) -> list[sql.Statement]:
    latest = {
        (run.pk, step_id): (STEP.dump_json(step).decode(), page.version, step.status.value, step.undo.value)
        for run, page in pages
        for step_id, step in page.steps.items()
    }
    return sql.insert(
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
    """The run, its row locked until the caller's transaction ends. What the engines do not look at is deferred."""
    statement = f"SELECT {', '.join(_COLUMNS)} FROM orchestration_run WHERE id = %s {sql.for_update()}"  # noqa: S608
    for values in sql.rows_of(sql.Statement(statement, [run_id]))[0]:
        fields = dict(zip(_COLUMNS, values, strict=True))
        for name in ("context", "config", "head"):
            fields[name] = sql.from_json(fields[name])
        for name in ("started_at", "finished_at"):
            fields[name] = sql.as_moment(fields[name])
        return Run.from_db(connection.alias, list(fields), list(fields.values()))
    raise Run.DoesNotExist(f"there is no run {run_id}")

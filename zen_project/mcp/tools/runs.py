"""Tools that read runs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from foundation.errors import BadInput
from orchestration import ports
from orchestration.api.serializers import EventOut, LogEntry, RunOut, RunRow, Why
from orchestration.api.views_definitions import Pages
from orchestration.core.enums import RunStatus
from orchestration.models import Run
from orchestration.runs import get_run, queries, run_log
from orchestration.runs.allowed_actions import with_allowed_actions
from orchestration.runs.waiting_reasons import why
from zen_project.mcp.arguments import Arguments
from zen_project.mcp.bounds import LIMIT, fitting
from zen_project.mcp.identity import Caller
from zen_project.mcp.registry import Answer, Entry
from zen_project.mcp.schemas import answer, page
from zen_project.mcp.tools.fields import Cursor, Engine, Limit, OfRun, StepId
from zen_project.mcp.tools.pages import page as page_of

STATUSES = [status.value for status in RunStatus]


class WhichRuns(Arguments):
    """Which runs, and how many of them."""

    status: Annotated[list[str], Field(description=f"only these: {', '.join(STATUSES)}")] = []
    saga_id: Annotated[str, Field(max_length=100, description="only runs of this saga")] = ""
    kind: Annotated[str, Field(description="only this kind: saga, project, approval …")] = ""
    engine: Annotated[Engine | None, Field(description="only runs on this engine")] = None
    workflow_id: Annotated[str, Field(max_length=200, description="only ids that begin so")] = ""
    limit: Limit = LIMIT
    cursor: Cursor = ""


class WhichEvents(OfRun):
    """Which events of a run."""

    limit: Limit = 100
    cursor: Cursor = ""


class WhichLines(WhichEvents):
    """Which entries of a run's log."""

    step_id: StepId = ""
    level: Annotated[str, Field(description=f"this one and those above it: {', '.join(run_log.LEVELS)}")] = ""


def run_answer(run: Run, caller: Caller) -> Answer:
    """The run as REST shows it to this caller."""
    return with_allowed_actions(run, queries.run_view(run), caller.actor)


def list_runs(caller: Caller, given: WhichRuns) -> Answer:
    """The runs of this site, the latest first: sagas, projects and requests for approval."""
    _known(given.status, STATUSES, "status")
    _known([given.kind] if given.kind else [], ports.kinds(), "kind")
    found = queries.runs(
        statuses=given.status, saga_id=given.saga_id, engine=given.engine or "", run_kind=given.kind
    )  # fmt: skip
    if given.workflow_id:
        found = found.filter(workflow_id__startswith=given.workflow_id)
    return page_of(found, queries.run_row, Pages, cursor=given.cursor, limit=given.limit)


def read_run(caller: Caller, given: OfRun) -> Answer:
    """One run: its status, input, steps with their outputs and undos, and the verbs that may be used on it now."""
    return run_answer(get_run(given.workflow_id), caller)


def explain_run(caller: Caller, given: OfRun) -> Answer:
    """Why a run stands where it stands and what it waits for, in sentences."""
    run = get_run(given.workflow_id)
    return {"workflow_id": run.workflow_id, "status": run.status, "lines": why(run)}


def get_events(caller: Caller, given: WhichEvents) -> Answer:
    """Everything that happened to a run, in order, a page at a time."""
    run, after = get_run(given.workflow_id), _number(given.cursor)

    def of(limit: int) -> Answer:
        rows = list(queries.run_events(run, after=after)[: limit + 1])
        more, rows = len(rows) > limit, rows[:limit]
        onward = str(rows[-1].seq) if more else None
        return {"results": [queries.event_view(row) for row in rows], "next_cursor": onward}

    return fitting(of, given.limit)


def get_logs(caller: Caller, given: WhichLines) -> Answer:
    """A run's log: events, attempts, lines that were logged or printed, and what people did, in order of time."""
    run = get_run(given.workflow_id)
    asked = {"step_id": given.step_id, "level": given.level}

    def of(limit: int) -> Answer:
        entries: list[dict[str, Any]] = run_log.log_entries(run, after=given.cursor, limit=limit, **asked)
        return {"results": entries, "next_cursor": entries[-1]["seq"] if len(entries) == limit else None}

    return fitting(of, given.limit)


def _known(given: list[str], known: list[str], field: str) -> None:
    for word in given:
        if word not in known:
            remedy = f"one of: {', '.join(known)}"
            raise BadInput(f"'{word[:80]}' is not a {field}", field=field, value=word[:80], remedy=remedy)


def _number(cursor: str) -> int:
    if cursor and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 11 and int(cursor) < 2**31):
        raise BadInput("cursor is not one of this run's events", field="cursor", remedy="give the next_cursor")
    return int(cursor or 0)


ENTRIES: tuple[Entry[Any], ...] = (
    Entry(
        name="list_runs", title="List runs", arguments=WhichRuns, answers=page(RunRow), do=list_runs, reads=True,
    ),
    Entry(name="get_run", title="Show a run", arguments=OfRun, answers=answer(RunOut), do=read_run, reads=True),
    Entry(name="explain_run", title="Explain a run", arguments=OfRun, answers=answer(Why), do=explain_run, reads=True),
    Entry(
        name="get_events", title="Events of a run", arguments=WhichEvents, answers=page(EventOut), do=get_events,
        reads=True,
    ),
    Entry(name="get_logs", title="Log of a run", arguments=WhichLines, answers=page(LogEntry), do=get_logs, reads=True),
)  # fmt: skip

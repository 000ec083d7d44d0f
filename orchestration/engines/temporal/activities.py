"""The two activities: perform one attempt, record what the flow decided. Synchronous, in a worker's threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import close_old_connections
from temporalio import activity
from temporalio.exceptions import ApplicationError

from orchestration import ledger, lifecycle, sql
from orchestration.clock import now
from orchestration.combining import together
from orchestration.core.codec import COMMAND, EVENT
from orchestration.core.commands import CancelAction, RunAction
from orchestration.core.page import PAGE
from orchestration.effects import perform_attempt, store_end, stored_end
from orchestration.engines.temporal.attempts import attempt_of, claim
from orchestration.engines.temporal.dto import PERFORM, RECORD, RING, Perform, Record, Ring, Rung
from orchestration.engines.temporal.heart import beating
from orchestration.flows import flow_of
from orchestration.models import Command, Run


@activity.defn(name=PERFORM, no_thread_cancel_exception=True)
def perform(given: Perform) -> str:
    """The ActionEnded event of the attempt as JSON; '' when its outcome arrives later (a child saga)."""
    with _connections():
        command = COMMAND.validate_json(given.command)
        if not isinstance(command, RunAction):
            raise ApplicationError(f"{command.kind} is not performed", non_retryable=True)
        workflow = activity.info().workflow_id
        run, row = together(lambda: _claimed(workflow, given, command))
        if row is None:
            return _as_it_ended(run, command)
        with beating(row.pk) as cancelled:
            ended = perform_attempt(run, row, cancelled)
        if ended.deferred:
            Command.objects.filter(pk=row.pk, epoch=row.epoch, status=Command.RUNNING).update(status=Command.DONE)
            return ""
        event = ended.event(row, now())
        if not together(lambda: store_end(row, ended, event.at)):
            raise ApplicationError("another worker has taken this attempt over")
        return EVENT.dump_json(event).decode()


@activity.defn(name=RECORD, no_thread_cancel_exception=True)
def record(given: Record) -> None:
    """Write pages, pass on cancellations, close the run: all idempotent."""
    with _connections():
        workflow = activity.info().workflow_id
        together(lambda: _recorded(workflow, given))


@activity.defn(name=RING, no_thread_cancel_exception=True)
def ring(given: Ring) -> Rung:
    """Let a run that keeps its state do what is due, and ask when it wants to be woken next."""
    with _connections():
        found = flow_of(given.kind).ring(given.run_pk, datetime.fromisoformat(given.at))
        return Rung(due=found.due.isoformat() if found.due else "", ended=found.ended)


# What is done `together` may run in the thread of another activity, so it asks nothing of `activity`.


def _claimed(workflow: str | None, given: Perform, command: RunAction) -> tuple[Run, Command | None]:
    run = _written(workflow, given.run_pk, given.pages)
    return run, claim(run, command)


def _recorded(workflow: str | None, given: Record) -> None:
    run = _written(workflow, given.run_pk, given.pages)
    for text in given.cancels:
        command = COMMAND.validate_json(text)
        if isinstance(command, CancelAction):
            lifecycle.cancel_action(run, command)
    if given.finished:
        lifecycle.finish(run)


def _written(workflow: str | None, run_pk: int, pages: list[str]) -> Run:
    """The run, locked, with these pages written."""
    run = _locked(workflow, run_pk)
    if pages:
        sql.run(*ledger.statements_for([(run, PAGE.validate_json(text)) for text in pages]))
    return run


def _locked(workflow: str | None, run_pk: int) -> Run:
    """The row of this very workflow's run: a database that was restored may hold another run under the number."""
    try:
        run = ledger.locked(run_pk)
    except Run.DoesNotExist as error:
        raise ApplicationError(f"the database holds no run for workflow '{workflow}'", non_retryable=True) from error
    if run.workflow_id != workflow:
        raise ApplicationError(f"run {run_pk} is not workflow '{workflow}' in this database", non_retryable=True)
    return run


def _as_it_ended(run: Run, command: RunAction) -> str:
    """An earlier try of this activity got to the end of the attempt: its answer, from its row."""
    row = Command.objects.get(run=run, **attempt_of(command))
    return EVENT.dump_json(stored_end(row).event(row, now())).decode() if row.outcome else ""


@contextmanager
def _connections() -> Iterator[None]:
    """Django's own signals never fire here, so stale connections are closed around each activity."""
    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()

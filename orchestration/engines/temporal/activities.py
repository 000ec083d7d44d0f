"""The two activities: perform one attempt, record what the flow decided. Synchronous, in a worker's threads."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, close_old_connections, connections, transaction
from temporalio import activity
from temporalio.exceptions import ApplicationError

from orchestration import ledger, lifecycle
from orchestration.clock import now
from orchestration.core.codec import COMMAND, EVENT
from orchestration.core.commands import CancelAction, RunAction
from orchestration.core.page import PAGE
from orchestration.effects import perform_attempt, store_end, stored_end
from orchestration.engines.celery.lease import worker_name
from orchestration.engines.temporal.dto import PERFORM, RECORD, Perform, Record
from orchestration.models import Command, Run

BEAT_SECONDS = 1.0


@activity.defn(name=PERFORM, no_thread_cancel_exception=True)
def perform(given: Perform) -> str:
    """The ActionEnded event of the attempt as JSON; '' when its outcome arrives later (a child saga)."""
    with _connections():
        _write(given.run_pk, given.pages)
        command = COMMAND.validate_json(given.command)
        if not isinstance(command, RunAction):
            raise ApplicationError(f"{command.kind} is not performed", non_retryable=True)
        run = Run.objects.select_related("definition").get(pk=given.run_pk)
        row, fresh = _claim(run, command)
        if not fresh:
            return EVENT.dump_json(stored_end(row).event(row, now())).decode() if row.outcome else ""
        with _heart(row) as cancelled:
            ended = perform_attempt(run, row, cancelled)
        if ended.deferred:
            Command.objects.filter(pk=row.pk, epoch=row.epoch, status=Command.RUNNING).update(status=Command.DONE)
            return ""
        event = ended.event(row, now())
        with transaction.atomic():
            if not store_end(row, ended, event.at):
                raise ApplicationError("another worker has taken this attempt over")
        return EVENT.dump_json(event).decode()


@activity.defn(name=RECORD, no_thread_cancel_exception=True)
def record(given: Record) -> None:
    """Write pages, pass on cancellations, close the run: all idempotent."""
    with _connections():
        _write(given.run_pk, given.pages)
        run = Run.objects.get(pk=given.run_pk)
        with transaction.atomic():
            for text in given.cancels:
                command = COMMAND.validate_json(text)
                if isinstance(command, CancelAction):
                    lifecycle.cancel_action(run, command)
            if given.finished:
                lifecycle.finish(run)


def _write(run_pk: int, pages: list[str]) -> None:
    for text in pages:
        ledger.write_page_locked(run_pk, PAGE.validate_json(text))


def _claim(run: Run, command: RunAction) -> tuple[Command, bool]:
    """The attempt's row, `running` and ours; or the row as it ended, when an earlier try of this activity got there."""
    with transaction.atomic():
        row, _ = Command.objects.select_for_update().get_or_create(
            run=run,
            kind=command.kind,
            timer="",
            step_id=command.step_id,
            purpose=command.purpose,
            iteration=command.iteration,
            attempt=command.attempt,
            defaults={"alternative": command.alternative, "due_at": now(), "status": Command.RUNNING},
        )
        if row.status == Command.DONE:
            return row, False
        row.status, row.worker, row.started_at = Command.RUNNING, worker_name(), now()
        row.epoch += 1
        row.tries += 1
        row.save(update_fields=["status", "worker", "started_at", "epoch", "tries"])
        return row, True


@contextmanager
def _connections() -> Iterator[None]:
    """Django's own signals never fire here, so stale connections are closed around each activity."""
    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()


@contextmanager
def _heart(row: Command) -> Iterator[threading.Event]:
    """Beats while the action runs, and looks whether anybody still wants the result."""
    stopped, cancelled = threading.Event(), threading.Event()
    context = contextvars.copy_context()

    def beat() -> None:
        while not stopped.wait(BEAT_SECONDS):
            context.run(activity.heartbeat)
            try:
                if Command.objects.filter(pk=row.pk, cancel_requested=True).exists():
                    cancelled.set()
            except DatabaseError:  # a silent heart would have the action repeated beside itself
                close_old_connections()
        connections.close_all()

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield cancelled
    finally:
        stopped.set()

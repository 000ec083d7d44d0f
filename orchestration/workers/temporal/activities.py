"""The activities: perform one attempt, record what the flow decided, let an external flow's timer fire.

They are synchronous and run in a worker's threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.db import close_old_connections
from temporalio import activity
from temporalio.exceptions import ApplicationError

from foundation.clock import database_now, now
from foundation.db.group_commit import in_group_commit
from orchestration.core.saga.codec import COMMAND, EVENT
from orchestration.core.saga.commands import RunAction
from orchestration.core.saga.events import ActionEnded
from orchestration.engines.temporal import seals
from orchestration.engines.temporal.dto import (
    GRACE_SECONDS,
    PERFORM,
    RECORD,
    TIMER_DUE,
    NextTimer,
    Perform,
    Record,
    TimerDue,
)
from orchestration.execution.attempt import perform_attempt
from orchestration.execution.attempt_result import store_end, stored_end
from orchestration.models import Command, Run
from orchestration.ports import flow_of
from orchestration.workers.celery.worker import MOST_TRIES
from orchestration.workers.temporal.attempts import attempt_of
from orchestration.workers.temporal.heartbeats import Flight, beating, heartbeats_here
from orchestration.workers.temporal.orders import Claiming, received, recorded
from orchestration.workers.temporal.shared_attempts import SharedAttempts
from orchestration.workers.temporal.tries import patiently, still_wanted, told

LATE = timedelta(seconds=3)
"""What took longer from the server to here may have been given to another try since."""

LONG_SECONDS = 2.5
"""An attempt that took longer is answered by a call of our own: the SDK, which does not see the beats of the heartbeat
process, may hold it for lost, and would then keep the answer to itself.
"""

_attempts: SharedAttempts[str] = SharedAttempts()


@activity.defn(name=PERFORM, no_thread_cancel_exception=True)
def perform(given: Perform) -> str:
    """Perform an attempt.

    Returns its ActionEnded event as JSON behind its seal, or '' when that comes later (a child run).

    Raises:
        ApplicationError: the machinery failed, or the order is not this site's; the server tries again unless it says
            `non_retryable`.
    """
    began = time.monotonic()
    command = COMMAND.validate_json(given.command)
    if not isinstance(command, RunAction):
        raise ApplicationError(f"{command.kind} is not performed", non_retryable=True)
    info = activity.info()
    longest = (info.start_to_close_timeout or timedelta(seconds=GRACE_SECONDS)).total_seconds()
    order = received(given, info)
    name = (order.workflow, given.run_pk, order.sealed, *attempt_of(command).values())
    with _connections(), beating(info.task_token, max(60.0, longest - GRACE_SECONDS + 60)) as flight:
        if heartbeats_here().was_stalled() or datetime.now(UTC) - info.started_time > LATE:
            still_wanted(info)
        claimed = Claiming(order, given, command, again=info.attempt > 1)
        answer = _attempts.run(name, lambda: _perform(claimed, command, flight))
        if time.monotonic() - began > LONG_SECONDS and told(info, answer):
            activity.raise_complete_async()
    return answer


def _perform(claimed: Callable[[], tuple[Run, Command | None]], command: RunAction, flight: Flight) -> str:
    run, row = patiently(lambda: in_group_commit(claimed))
    if row is None:
        return patiently(lambda: _as_it_ended(run, command))
    if row.tries > MOST_TRIES:
        raise ApplicationError(f"{row.tries - 1} workers were lost while performing it", non_retryable=True)
    flight.row_id.append(row.pk)
    try:
        ended = patiently(lambda: perform_attempt(run, row, flight.cancelled))
    except Exception as error:  # an attempt's top: Temporal hears its class and text, and tries again
        gave_up = row.tries >= MOST_TRIES
        raise ApplicationError(f"{type(error).__name__}: {error}", non_retryable=gave_up) from error
    if ended.deferred:
        mine = Command.objects.filter(pk=row.pk, epoch=row.epoch, status=Command.RUNNING)
        patiently(lambda: mine.update(status=Command.DONE))
        return ""
    event = ended.event(row, now())
    if not patiently(lambda: in_group_commit(lambda: store_end(row, ended, event.at))):
        raise ApplicationError("another worker has taken this attempt over")
    return _answer(run, event)


@activity.defn(name=RECORD, no_thread_cancel_exception=True)
def record(given: Record) -> None:
    """Write state changes, pass on cancellations, end the run; may be repeated without effect."""
    with _connections():
        order = received(given, activity.info())
        in_group_commit(lambda: recorded(order, given))


@activity.defn(name=TIMER_DUE, no_thread_cancel_exception=True)
def on_timer_due(given: TimerDue) -> NextTimer:
    """Let an external flow do what is due by the database's clock, and return when it wants to be woken next.

    The order carries no seal: whoever gives it, nothing happens but what is due anyway.
    """
    with _connections():
        info = activity.info()
        if not Run.objects.filter(pk=given.run_pk, workflow_id=info.workflow_id, kind=given.kind).exists():
            raise ApplicationError(f"run {given.run_pk} is not workflow '{info.workflow_id}' in this database")
        moment = database_now()
        found = flow_of(given.kind).on_timer(given.run_pk, moment)
        ahead = max(info.started_time - moment, timedelta())  # a server whose clock is ahead would wake it too early
        return NextTimer(due=(found.due + ahead).isoformat() if found.due else "", ended=found.ended)


def _as_it_ended(run: Run, command: RunAction) -> str:
    """An earlier try of this activity got to the end of the attempt: its answer, from its row."""
    row = Command.objects.get(run=run, **attempt_of(command))
    return _answer(run, stored_end(row).event(row, now())) if row.outcome else ""


def _answer(run: Run, event: ActionEnded) -> str:
    text = EVENT.dump_json(event).decode()
    return seals.answer(run.workflow_id, run.pk, text) if seals.is_sealed(run.rules) else text


@contextmanager
def _connections() -> Iterator[None]:
    """Django's own signals never fire here, so stale connections are closed around each activity."""
    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()

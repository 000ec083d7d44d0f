"""The two activities: perform one attempt, record what the flow decided. Synchronous, in a worker's threads."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections
from temporalio import activity
from temporalio.client import AsyncActivityCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from orchestration import ledger, lifecycle, sql
from orchestration.clock import database_now, now
from orchestration.combining import together
from orchestration.core.codec import COMMAND, EVENT
from orchestration.core.commands import CancelAction, RunAction
from orchestration.core.events import ActionEnded
from orchestration.core.page import PAGE, Page
from orchestration.core.words import RunStatus
from orchestration.effects import perform_attempt, store_end, stored_end
from orchestration.engines.celery.lease import worker_name
from orchestration.engines.celery.work import MOST_TRIES
from orchestration.engines.temporal import connection, seals
from orchestration.engines.temporal.attempts import attempt_of, claim
from orchestration.engines.temporal.dto import (
    GRACE_SECONDS,
    NOT_OURS,
    PERFORM,
    RECORD,
    RING,
    Perform,
    Record,
    Ring,
    Rung,
)
from orchestration.engines.temporal.executions import is_of_earlier_state
from orchestration.engines.temporal.heart import Flight, beating, heart
from orchestration.engines.temporal.shared_attempts import SharedAttempts
from orchestration.errors import Unreachable
from orchestration.flows import flow_of
from orchestration.going_on import handler_of, told_at
from orchestration.models import Command, Run

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

LATE = timedelta(seconds=3)
"""What took longer from the server to here may have been given to another try since."""

LONG_SECONDS = 2.5
"""An attempt that took longer is answered by a call of our own: the SDK, which does not see the beats of the heartbeat
process, may hold it for lost, and would then keep the answer to itself.
"""

_attempts: SharedAttempts[str] = SharedAttempts()


@dataclass(frozen=True, slots=True)
class Order:
    """By which workflow, in which of its executions; whether it carries our seal."""

    workflow: str
    execution: str
    sealed: bool


def _received(given: Perform | Record, info: activity.Info) -> Order:
    workflow = info.workflow_id or ""
    return Order(workflow, info.workflow_run_id or "", seals.is_our_order(workflow, given))


@activity.defn(name=PERFORM, no_thread_cancel_exception=True)
def perform(given: Perform) -> str:
    """The ActionEnded event of the attempt as JSON behind its seal; '' when that arrives later (a child saga)."""
    began = time.monotonic()
    command = COMMAND.validate_json(given.command)
    if not isinstance(command, RunAction):
        raise ApplicationError(f"{command.kind} is not performed", non_retryable=True)
    info = activity.info()
    longest = (info.start_to_close_timeout or timedelta(seconds=GRACE_SECONDS)).total_seconds()
    order = _received(given, info)
    name = (order.workflow, given.run_pk, order.sealed, *attempt_of(command).values())
    with _connections(), beating(info.task_token, max(60.0, longest - GRACE_SECONDS + 60)) as flight:
        if heart().was_stalled() or datetime.now(UTC) - info.started_time > LATE:
            _still_wanted(info)
        claimed = _Claim(order, given, command, again=info.attempt > 1)
        answer = _attempts.run(name, lambda: _perform(claimed, command, flight))
        if time.monotonic() - began > LONG_SECONDS and _told(info, answer):
            activity.raise_complete_async()
    return answer


def _perform(claimed: Callable[[], tuple[Run, Command | None]], command: RunAction, flight: Flight) -> str:
    run, row = _patiently(lambda: together(claimed))
    if row is None:
        return _patiently(lambda: _as_it_ended(run, command))
    if row.tries > MOST_TRIES:
        raise ApplicationError(f"{row.tries - 1} workers were lost while performing it", non_retryable=True)
    flight.row_id.append(row.pk)
    try:
        ended = _patiently(lambda: perform_attempt(run, row, flight.cancelled))
    except Exception as error:
        gave_up = row.tries >= MOST_TRIES
        raise ApplicationError(f"{type(error).__name__}: {error}", non_retryable=gave_up) from error
    if ended.deferred:
        mine = Command.objects.filter(pk=row.pk, epoch=row.epoch, status=Command.RUNNING)
        _patiently(lambda: mine.update(status=Command.DONE))
        return ""
    event = ended.event(row, now())
    if not _patiently(lambda: together(lambda: store_end(row, ended, event.at))):
        raise ApplicationError("another worker has taken this attempt over")
    return _answer(run, event)


def _patiently(work: Callable[[], Answer]) -> Answer:
    """While the database is away, what has to be asked or written is held: the heartbeats go on meanwhile."""
    deadline, pause = time.monotonic() + GRACE_SECONDS, 0.2
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline or activity.is_worker_shutdown():
                raise
            log.warning("the database is away; trying again in %g s", pause, exc_info=True)
            close_old_connections()
            time.sleep(pause)
            pause = min(2 * pause, 5.0)


def _still_wanted(info: activity.Info) -> None:
    """Raises when the server has given this attempt to another try, or cannot be asked."""

    async def beat() -> None:
        client = await connection.client()
        await client.get_async_activity_handle(task_token=info.task_token).heartbeat()

    try:
        connection.call(beat())
    except (AsyncActivityCancelledError, RPCError, Unreachable) as error:
        raise ApplicationError(f"this try came late, and is not begun ({error})") from error


def _told(info: activity.Info, answer: str) -> bool:
    """False when the server could not be told: the SDK may have more luck; else another try answers from the row."""

    async def tell() -> None:
        client = await connection.client()
        await client.get_async_activity_handle(task_token=info.task_token).complete(answer)

    try:
        connection.call(tell())
    except RPCError as error:
        return error.status is RPCStatusCode.NOT_FOUND
    except Unreachable:
        return False
    return True


@activity.defn(name=RECORD, no_thread_cancel_exception=True)
def record(given: Record) -> None:
    """Write pages, pass on cancellations, close the run: all idempotent."""
    with _connections():
        order = _received(given, activity.info())
        together(lambda: _recorded(order, given))


@activity.defn(name=RING, no_thread_cancel_exception=True)
def ring(given: Ring) -> Rung:
    """Let a run that keeps its state do what is due by the database's clock, and ask when it is to be woken next.

    It carries no seal: whoever orders it, nothing happens but what is due anyway.
    """
    with _connections():
        info = activity.info()
        if not Run.objects.filter(pk=given.run_pk, workflow_id=info.workflow_id, kind=given.kind).exists():
            raise ApplicationError(f"run {given.run_pk} is not workflow '{info.workflow_id}' in this database")
        moment = database_now()
        found = flow_of(given.kind).ring(given.run_pk, moment)
        ahead = max(info.started_time - moment, timedelta())  # a server whose clock is ahead would wake it too early
        return Rung(due=(found.due + ahead).isoformat() if found.due else "", ended=found.ended)


# What is done `together` may run in the thread of another activity, so it asks nothing of `activity`.


class _Claim:
    """Claims the attempt for one try of the activity, as often as it takes until its COMMIT is answered."""

    def __init__(self, order: Order, given: Perform, command: RunAction, *, again: bool) -> None:
        self.order, self.given, self.command, self.again = order, given, command, again
        self.epochs: list[int] = []

    def __call__(self) -> tuple[Run, Command | None]:
        run = _written(self.order, self.given)
        if seals.is_sealed(run.rules) and _has_ended(run):  # its workflow was started again, from an earlier state
            raise ApplicationError(f"run '{run}' has ended in this database")
        if self.again:
            _refuse_beside(run, self.command)
        row = claim(run, self.command, given=self.epochs)
        if row is not None:
            self.epochs.append(row.epoch)
        return run, row


def _refuse_beside(run: Run, command: RunAction) -> None:
    """Raises while another worker lives in which the attempt's handler goes on: tried again later.

    An earlier try of this process is in SharedAttempts, or over.
    """
    row = Command.objects.filter(run=run, **attempt_of(command)).exclude(worker=worker_name()).first()
    if row is not None and told_at(row) is not None:
        raise ApplicationError(f"{handler_of(row)} was told to stop and has not ended; it is not begun beside it")


def _recorded(order: Order, given: Record) -> None:
    run = _written(order, given)
    for text in given.cancels:
        command = COMMAND.validate_json(text)
        if isinstance(command, CancelAction):
            lifecycle.cancel_action(run, command)
    if given.finished and _has_ended(run):
        lifecycle.finish(run)


def _written(order: Order, given: Perform | Record) -> Run:
    """The run, locked, with these pages written. Raises ApplicationError, nothing written, for what is not ours."""
    run = _locked(order.workflow, given.run_pk)
    pages = [PAGE.validate_json(text) for text in given.pages]
    if not order.sealed and not _may_lack_a_seal(run, given, pages):
        # A process with another key may have ordered this: it is done when all have one key. Without a seal, never.
        raise ApplicationError(
            f"no workflow of this site has ordered this of run '{run}'; has each process the same ZEN_SECRET_KEY?",
            type=NOT_OURS,
            non_retryable=isinstance(given, Record) and not given.seal,
        )
    if seals.is_sealed(run.rules) and is_of_earlier_state(run, order.execution, given.heard):
        raise ApplicationError(
            f"the workflow of run '{run}' was begun again from an earlier state, and has not heard all acts since",
            type=NOT_OURS,
            non_retryable=isinstance(given, Record),
        )
    if pages:
        sql.run(*ledger.statements_for([(run, page) for page in pages]))
    return run


def _may_lack_a_seal(run: Run, given: Perform | Record, pages: list[Page]) -> bool:
    """Whether the run is of before and goes on; or this is its end, which is recorded once more."""
    if seals.is_sealed(run.rules):
        return False
    return not _has_ended(run) or (isinstance(given, Record) and all(page.version <= run.version for page in pages))


def _has_ended(run: Run) -> bool:
    return RunStatus(run.status).is_end


def _locked(workflow: str, run_pk: int) -> Run:
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

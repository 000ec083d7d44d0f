"""What a workflow orders an activity to do: whether it is this site's order, and what it writes and claims.

What is done in a group commit may run in the thread of another activity, so nothing but `received` asks `activity`.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import activity
from temporalio.exceptions import ApplicationError

from foundation.db import statements
from orchestration.core.enums import RunStatus
from orchestration.core.saga.codec import COMMAND
from orchestration.core.saga.commands import CancelAction, RunAction
from orchestration.core.saga.state_change import PAGE, StateChange
from orchestration.engines.temporal import seals
from orchestration.engines.temporal.dto import NOT_OURS, Perform, Record
from orchestration.engines.temporal.executions import is_of_earlier_state
from orchestration.ledger import run_end, store
from orchestration.ledger.late_handlers import handler_of, told_at
from orchestration.models import Command, Run
from orchestration.workers.lease import worker_name
from orchestration.workers.temporal.attempts import attempt_of, claim


@dataclass(frozen=True, slots=True)
class Order:
    """Which workflow ordered an activity, in which of its executions, and whether the order carries our seal."""

    workflow: str
    execution: str
    sealed: bool


def received(given: Perform | Record, info: activity.Info) -> Order:
    """The order behind an activity that the server gave to this worker."""
    workflow = info.workflow_id or ""
    return Order(workflow, info.workflow_run_id or "", seals.is_our_order(workflow, given))


class Claiming:
    """Claims the attempt for one try of the activity, as often as it takes until its COMMIT is answered."""

    def __init__(self, order: Order, given: Perform, command: RunAction, *, again: bool) -> None:
        self.order, self.given, self.command, self.again = order, given, command, again
        self.epochs: list[int] = []

    def __call__(self) -> tuple[Run, Command | None]:
        """The run, with these pages written, and the attempt's row; None when it has ended already."""
        run = _written(self.order, self.given)
        if seals.is_sealed(run.rules) and _has_ended(run):  # its workflow was started again, from an earlier state
            raise ApplicationError(f"run '{run}' has ended in this database")
        if self.again:
            refuse_beside(run, self.command)
        row = claim(run, self.command, given=self.epochs)
        if row is not None:
            self.epochs.append(row.epoch)
        return run, row


def refuse_beside(run: Run, command: RunAction) -> None:
    """Raises while another worker lives in which the attempt's handler goes on: tried again later.

    An earlier try of this process is in SharedAttempts, or over.
    """
    row = Command.objects.filter(run=run, **attempt_of(command)).exclude(worker=worker_name()).first()
    if row is not None and told_at(row) is not None:
        raise ApplicationError(f"{handler_of(row)} was told to stop and has not ended; it is not begun beside it")


def recorded(order: Order, given: Record) -> None:
    """Write the state changes, pass on cancellations, end the run. Raises ApplicationError for what is not ours."""
    run = _written(order, given)
    for text in given.cancels:
        command = COMMAND.validate_json(text)
        if isinstance(command, CancelAction):
            run_end.cancel_action(run, command)
    if given.finished and _has_ended(run):
        run_end.finish(run)


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
        statements.run(*store.statements_for([(run, page) for page in pages]))
    return run


def _may_lack_a_seal(run: Run, given: Perform | Record, pages: list[StateChange]) -> bool:
    """Whether the run is of before and goes on; or this is its end, which is recorded once more."""
    if seals.is_sealed(run.rules):
        return False
    return not _has_ended(run) or (isinstance(given, Record) and all(page.version <= run.version for page in pages))


def _has_ended(run: Run) -> bool:
    return RunStatus(run.status).is_end


def _locked(workflow: str, run_pk: int) -> Run:
    """The row of this very workflow's run: a database that was restored may hold another run under the number."""
    try:
        run = store.locked(run_pk)
    except Run.DoesNotExist as error:
        raise ApplicationError(f"the database holds no run for workflow '{workflow}'", non_retryable=True) from error
    if run.workflow_id != workflow:
        raise ApplicationError(f"run {run_pk} is not workflow '{workflow}' in this database", non_retryable=True)
    return run

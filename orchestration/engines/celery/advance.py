"""Fold one event into a run: lock its row, decide, write everything, in one transaction."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from orchestration import ledger, lifecycle, sql
from orchestration.core.commands import CancelAction, Finish, RunAction, StartTimer
from orchestration.core.commands import Command as FlowCommand
from orchestration.core.events import Event
from orchestration.core.page import page_of
from orchestration.core.saga import decide
from orchestration.core.state import SagaState
from orchestration.models import Run
from orchestration.plans import plan_of

_STATES: OrderedDict[int, SagaState] = OrderedDict()
_STATES_KEPT = 512


def advance(run_id: int, event: Event) -> int:
    """Inside a transaction: fold `event` into the run; returns how many commands it left.

    An event that means nothing (stale, duplicate, refused) writes nothing.
    """
    run = _locked(run_id)
    before = _state(run)
    after, commands = decide(plan_of(run), before, event)
    if after is before:
        return 0
    ledger.write_page(run, page_of(before, event, after, first_seq=ledger.next_seq(run)))
    written = _write_commands(run, commands, event.at)
    transaction.on_commit(lambda: _keep(run_id, after))
    return written


def _locked(run_id: int) -> Run:
    lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
    return Run.objects.raw(f"SELECT * FROM orchestration_run WHERE id = %s{lock}", [run_id])[0]  # noqa: S608 - a constant


def _state(run: Run) -> SagaState:
    """The state as this process last wrote it, if nobody wrote since; else from the rows."""
    kept = _STATES.get(run.pk)
    if kept is not None and kept.version == run.version and kept.workflow_id == run.workflow_id:
        return kept
    return ledger.load_state(run)


def _keep(run_id: int, state: SagaState) -> None:
    _STATES[run_id] = state
    _STATES.move_to_end(run_id)
    if state.status.is_end or len(_STATES) > _STATES_KEPT:
        _STATES.pop(run_id if state.status.is_end else next(iter(_STATES)), None)


def forget() -> None:
    _STATES.clear()


def _write_commands(run: Run, commands: Sequence[FlowCommand], now: datetime) -> int:
    rows = []
    for command in commands:
        match command:
            case RunAction():
                rows.append(_row(run, command, timer="", alternative=command.alternative, due=now))
            case StartTimer():
                rows.append(_row(run, command, timer=command.timer, alternative=False, due=command.due))
            case CancelAction():
                lifecycle.cancel_action(run, command)
            case Finish():
                lifecycle.finish(run)
    sql.insert("orchestration_command", _COLUMNS, rows)
    return len(rows)


_COLUMNS = (
    "run_id, kind, timer, step_id, purpose, iteration, attempt, alternative, due_at, "
    "status, worker, epoch, tries, cancel_requested, outcome, maybe, error, detail"
)


def _row(
    run: Run, command: RunAction | StartTimer, *, timer: str, alternative: bool, due: datetime
) -> tuple[object, ...]:
    return (
        run.pk,
        command.kind,
        timer,
        command.step_id,
        command.purpose.value,
        command.iteration,
        command.attempt,
        alternative,
        sql.moment(due),
        *("ready", "", 0, 0, False, "", False, "", "{}"),
    )

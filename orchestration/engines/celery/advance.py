"""Fold events into runs: lock their rows, decide, write everything, in the caller's transaction."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from django.db import transaction

from orchestration import ledger, lifecycle, sql
from orchestration.core.commands import CancelAction, Finish, RunAction, StartTimer
from orchestration.core.commands import Command as FlowCommand
from orchestration.core.events import Event
from orchestration.core.page import Page, page_of
from orchestration.core.saga import decide
from orchestration.core.state import SagaState
from orchestration.engines.celery import known
from orchestration.models import Run
from orchestration.plans import plan_of


class Fold:
    """Runs whose rows are locked, and what the events folded into them have to write.

    Rows are locked in the order of their ids, before any other row of these runs is touched: two folds never wait for
    each other in a circle.
    """

    def __init__(self, runs: dict[int, tuple[Run, SagaState]]) -> None:
        self.runs = runs
        self.pages: list[tuple[Run, Page]] = []
        self.rows: list[tuple[object, ...]] = []
        self.ready = 0
        self.after: list[tuple[Run, FlowCommand]] = []

    @classmethod
    def of(cls, run_ids: Iterable[int]) -> Fold:
        return cls(_locked(sorted(set(run_ids))))

    @classmethod
    def of_new(cls, run: Run) -> Fold:
        """A run that this transaction has just stored: nobody else sees it yet, so there is nothing to lock."""
        return cls({run.pk: (run, SagaState(workflow_id=run.workflow_id))})

    def add(self, run_id: int, event: Event) -> None:
        """Fold one event in. One that means nothing (stale, duplicate, refused) writes nothing."""
        run, before = self.runs[run_id]
        after, commands = decide(plan_of(run), before, event)
        if after is before:
            return
        first_seq = self._next_seq(run)
        page = page_of(before, event, after, first_seq=first_seq)
        self.pages.append((run, page))
        self.runs[run_id] = run, after
        self._sort(run, commands, event.at)

    def write(self) -> int:
        """Write what was folded; returns how many commands are ready now."""
        ledger.write_pages(self.pages)
        sql.insert("orchestration_command", _COLUMNS, self.rows)
        for run, command in self.after:
            if isinstance(command, CancelAction):
                lifecycle.cancel_action(run, command)
            else:
                lifecycle.finish(run)
        for run_id in {run.pk for run, _ in self.pages}:
            transaction.on_commit(partial(known.keep, *self.runs[run_id]))
        return self.ready

    def _next_seq(self, run: Run) -> int:
        for other, page in reversed(self.pages):
            if other is run:
                return page.first_seq + len(page.facts)
        return ledger.next_seq(run)

    def _sort(self, run: Run, commands: Sequence[FlowCommand], now: datetime) -> None:
        for command in commands:
            match command:
                case RunAction():
                    self.ready += 1
                    self.rows.append(_row(run, command, timer="", alternative=command.alternative, due=now))
                case StartTimer():
                    self.rows.append(_row(run, command, timer=command.timer, alternative=False, due=command.due))
                case CancelAction() | Finish():
                    self.after.append((run, command))


def advance(run_id: int, event: Event) -> int:
    """Inside a transaction: fold one event into one run; returns how many commands are ready now."""
    fold = Fold.of([run_id])
    fold.add(run_id, event)
    return fold.write()


def _locked(run_ids: list[int]) -> dict[int, tuple[Run, SagaState]]:
    """The runs and their states: as this process last wrote them, if nobody wrote since; else from the rows."""
    marks = ",".join(["%s"] * len(run_ids))
    statement = f"SELECT id, version FROM orchestration_run WHERE id IN ({marks}) ORDER BY id {sql.for_update()}"  # noqa: S608
    found: dict[int, tuple[Run, SagaState]] = {}
    for run_id, version in sql.rows_of(statement, run_ids) if run_ids else ():
        kept = known.get(run_id)
        if kept is not None and kept[1].version == version == kept[0].version:
            found[run_id] = copy.copy(kept[0]), kept[1]
        else:
            run = Run.objects.get(pk=run_id)
            found[run_id] = run, ledger.load_state(run)
    return found


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

"""Change runs by events: lock their rows, decide, write everything, in the caller's transaction."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from django.db import transaction

from foundation.clock import now
from foundation.db import statements as sql
from orchestration.core.queues import DEFAULT
from orchestration.core.saga.commands import CancelAction, Finish, RunAction, StartTimer
from orchestration.core.saga.commands import Command as FlowCommand
from orchestration.core.saga.events import Event, RunStarted
from orchestration.core.saga.flow import decide
from orchestration.core.saga.state import SagaState
from orchestration.core.saga.state_change import StateChange, state_change_of
from orchestration.engines.celery import fair_queue, nudge, state_cache
from orchestration.ledger import run_end, store
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.models import Run


class Fold:
    """Runs whose rows are locked, and what the events added to them have to write.

    Rows are locked in the order of their ids, before any other row of these runs is touched, so that two folds never
    wait for each other in a circle (a deadlock).
    """

    def __init__(self, runs: dict[int, tuple[Run, SagaState]]) -> None:
        self.runs = runs
        self.pages: list[tuple[Run, StateChange]] = []
        self.rows: list[tuple[object, ...]] = []
        self.ready: Counter[str] = Counter()
        self.next_timer: datetime | None = None
        self.after: list[tuple[Run, CancelAction | Finish]] = []

    @classmethod
    def of_locked(cls, rows: Iterable[tuple[int, int]]) -> Fold:
        """`rows`: the (id, version) pairs that the statement of `lock` returned."""
        return cls({run_id: _current(run_id, version) for run_id, version in rows})

    def add(self, run_id: int, event: Event) -> None:
        """Let the flow decide one event. One without effect (stale, duplicate, refused) writes nothing."""
        run, before = self.runs[run_id]
        after, commands = decide(compiled_plan(run), before, event)
        if after is before:
            return
        first_seq = self._next_seq(run)
        page = state_change_of(before, event, after, first_seq=first_seq)
        self.pages.append((run, page))
        self.runs[run_id] = run, after
        self._sort(run, commands, event.at)

    def statements(self) -> list[sql.Statement]:
        """What writes all that was decided; `aftermath` comes after it, in the same transaction."""
        ended = [run_end.end_timers(run) for run, command in self.after if isinstance(command, Finish)]
        return [*store.statements_for(self.pages), *sql.insert("orchestration_command", _COLUMNS, self.rows), *ended]

    def aftermath(self) -> None:
        """Tell attempts in progress, children and the parent, and keep the state in this process after the commit."""
        for run, command in self.after:
            if isinstance(command, CancelAction):
                run_end.cancel_action(run, command)
            else:
                run_end.tell_parent(run)
        for run_id in {run.pk for run, _ in self.pages}:
            transaction.on_commit(partial(state_cache.keep, *self.runs[run_id]))
        if self.next_timer is not None:
            transaction.on_commit(partial(nudge.nudge_for_timer, self.next_timer))

    def _next_seq(self, run: Run) -> int:
        for other, page in reversed(self.pages):
            if other is run:
                return page.first_seq + len(page.facts)
        return store.next_seq(run)

    def _sort(self, run: Run, commands: Sequence[FlowCommand], now: datetime) -> None:
        in_flight = _in_flight(self.runs[run.pk][1], commands)
        for command in commands:
            row = _row(run, command, now, in_flight)
            if row is not None:
                self.rows.append(row)
            if isinstance(command, RunAction):
                self.ready[command.queue] += 1
                in_flight += 1
            elif isinstance(command, StartTimer):
                self.next_timer = min(self.next_timer or command.due, command.due)
            elif isinstance(command, CancelAction | Finish):
                self.after.append((run, command))


def advance(run_id: int, event: Event) -> None:
    """Change one run by one event, inside the caller's transaction."""
    (locked,) = sql.rows_of(lock([run_id]))
    fold = Fold.of_locked(locked)
    fold.add(run_id, event)
    sql.run(*fold.statements())
    fold.aftermath()


class Beginning:
    """A new run's first decision: made before its row is written, so that the row is written once."""

    def __init__(self, run: Run) -> None:
        before, event = SagaState(workflow_id=run.workflow_id), RunStarted(at=now())
        self.run, self.at = run, event.at
        self.state, self.commands = decide(compiled_plan(run), before, event)
        self.page = state_change_of(before, event, self.state, first_seq=1)
        store.apply_head(run, self.page)
        run.handed_over = True

    def statements(self) -> list[sql.Statement]:
        """What is written with the run's row, once that has its id."""
        rows = [row for nth, command in enumerate(self.commands, 1) if (row := _row(self.run, command, self.at, nth))]
        pages = [(self.run, self.page)]
        transaction.on_commit(partial(state_cache.keep, self.run, self.state))
        return [
            *store.events_of(pages),
            *store.steps_of(pages),
            *sql.insert("orchestration_command", _COLUMNS, rows),
        ]


def lock(run_ids: Iterable[int]) -> sql.Statement:
    """Lock the rows of runs in the order of their ids; gives their ids and versions."""
    ids = sorted(set(run_ids))
    marks = ",".join(["%s"] * len(ids))
    return sql.Statement(
        f"SELECT id, version FROM orchestration_run WHERE id IN ({marks}) ORDER BY id {sql.for_update()}",  # noqa: S608
        ids,
    )


def _current(run_id: int, version: int) -> tuple[Run, SagaState]:
    """A locked run and its state: as this process last wrote them, if no other has written since.

    Otherwise from the rows.
    """
    kept = state_cache.get(run_id)
    if kept is not None and kept[1].version == version == kept[0].version:
        return copy.copy(kept[0]), kept[1]
    run = store.locked(run_id)
    return run, store.load_state(run)


_COLUMNS = (
    "run_id, kind, timer, step_id, purpose, iteration, attempt, alternative, queue, turn, due_at, "
    "status, worker, epoch, tries, cancel_requested, outcome, maybe, error, detail"
)


def _in_flight(state: SagaState, commands: Sequence[FlowCommand]) -> int:
    """Which of the run's attempts in flight the first of these commands is, from 1."""
    return max(1, state.flying - sum(isinstance(command, RunAction) for command in commands) + 1)


def _row(run: Run, command: FlowCommand, now: datetime, in_flight: int) -> tuple[object, ...] | None:
    """The row of a command that is performed later; None for the others. `in_flight`: see `turns.give`."""
    match command:
        case RunAction():
            timer, alternative, queue, due = "", command.alternative, command.queue, now
            turn = fair_queue.assign_turn(run, queue, in_flight)
        case StartTimer():
            timer, alternative, queue, due, turn = command.timer, False, DEFAULT, command.due, 0
        case _:
            return None
    return (
        run.pk,
        command.kind,
        timer,
        command.step_id,
        command.purpose.value,
        command.iteration,
        command.attempt,
        alternative,
        queue,
        turn,
        sql.moment(due),
        *("ready", "", 0, 0, False, "", False, "", "{}"),
    )


ALARM = "alarm"
"""The timer of a flow that keeps its own state."""


def alarm_row(run: Run, due: datetime, number: int) -> list[sql.Statement]:
    """The timer of an external flow, due at `due`; one with this number is written once."""
    row = (run.pk, "start_timer", ALARM, "", "forward", 0, number, False, DEFAULT, 0, sql.moment(due))
    return sql.insert(
        "orchestration_command", _COLUMNS, [(*row, "ready", "", 0, 0, False, "", False, "", "{}")],
        on_conflict="DO NOTHING",
    )  # fmt: skip

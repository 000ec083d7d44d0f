"""The memory engine with real actions and a real ledger, for tests. Its state is lost with its process.

One thread decides, a few perform. Short waits are jumped over, long ones (`LONGEST_JUMP`) are left to people.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

from django.db import connections

from foundation.clock import now
from foundation.db import statements
from foundation.guarded import settle
from orchestration.core.enums import Outcome
from orchestration.core.saga.codec import EVENT
from orchestration.core.saga.commands import CancelAction, Command, Finish, RunAction
from orchestration.core.saga.events import ActionEnded, Event, HandlerOverdue, LookAgain
from orchestration.core.saga.guards import refusal
from orchestration.core.saga.state import SagaState
from orchestration.core.saga.state_change import state_change_of
from orchestration.engines.base import Reach, Report
from orchestration.execution.attempt import perform_attempt
from orchestration.execution.attempt_result import store_end
from orchestration.ledger import run_end, store
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.models import Command as Attempt
from orchestration.models import Message, Run
from orchestration.ports import flow_of, kept
from orchestration.workers.memory.world import World
from orchestration.workers.temporal.attempts import claim

LONGEST_JUMP = timedelta(minutes=1)
_EPOCH = datetime.min.replace(tzinfo=UTC)
ACT_SECONDS = 30.0
THREADS = 8


class MemoryEngine:
    """Implements `engines.base.Engine` in this process. Tests alone put it into `ENGINES`."""

    name = "memory"
    is_told = True

    def __init__(self, *, random: Random | None = None, longest_alarm: timedelta = timedelta()) -> None:
        """`longest_alarm`: timers of external flows fire so much too early."""
        self.random = random or Random()  # noqa: S311 - it orders events, it keeps no secret
        self.longest_alarm = longest_alarm
        self.alarms: dict[int, tuple[datetime, str]] = {}
        self.worlds: dict[int, World] = {}
        self.not_before: dict[int, datetime] = {}
        self.told: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.stopped = threading.Event()
        self.decider = 0

    def reach(self) -> Reach:
        return Reach(ok=True, why="runs in this process")

    def begin(self, run: Run) -> None:
        """By `take`, once it is stored."""

    def take(self, run: Run) -> None:
        if kept(run.kind):
            self.tend(run)
        elif Run.objects.filter(pk=run.pk, handed_over=False).update(handed_over=True):
            self.told.put(lambda: self._world(run.pk).start())

    def deliver(self, message: Message) -> str:
        if threading.get_ident() == self.decider:  # an alarm that rang here has something to tell
            return self._deliver(message.pk)
        answer: Future[str] = Future()
        self.told.put(lambda: settle(answer, lambda: self._deliver(message.pk)))
        return answer.result(ACT_SECONDS)

    def alarm(self, run: Run, due: datetime, number: int) -> list[statements.Statement]:
        return []

    def tend(self, run: Run) -> None:
        Run.objects.filter(pk=run.pk, handed_over=False).update(handed_over=True)
        self.told.put(lambda: self._fire(run.pk, run.kind, now()))

    def revive(self, run: Run) -> None:
        """Its timers are in this process."""

    def report(self, run: Run) -> Report:
        return Report()

    def wake(self) -> None:
        return None

    @contextmanager
    def hosted(self) -> Iterator[None]:
        """Decide and perform in threads until the block is left."""
        with ThreadPoolExecutor(THREADS, thread_name_prefix="memory-effect") as self.effects:
            thread = threading.Thread(target=self._loop, name="memory-engine", daemon=True)
            thread.start()
            try:
                yield
            finally:
                self.stopped.set()
                thread.join(ACT_SECONDS)

    def _loop(self) -> None:
        self.decider = threading.get_ident()
        while not self.stopped.is_set():
            self._listen()
            for run_pk, world in list(self.worlds.items()):
                world.now = max(world.now, now())
                world.step(jump=_may_jump(world) and now() >= self.not_before.get(run_pk, _EPOCH))
            self._fire_the_next()
        connections.close_all()

    def _fire(self, run_pk: int, kind: str, at: datetime) -> None:
        """What is far off is jumped to only when nothing else is left to happen, as it is for a wait."""
        found = flow_of(kind).on_timer(run_pk, at)
        self.alarms.pop(run_pk, None)
        if found.due and not found.ended:
            self.alarms[run_pk] = found.due, kind

    def _fire_the_next(self) -> None:
        if self.alarms:
            run_pk = min(self.alarms, key=lambda pk: self.alarms[pk][0])
            due, kind = self.alarms[run_pk]
            if due - now() <= self.longest_alarm:
                self._fire(run_pk, kind, max(due, now()))

    def _listen(self) -> None:
        try:
            self.told.get(timeout=0.005)()
        except queue.Empty:
            return

    def _deliver(self, message_pk: int) -> str:
        message = Message.objects.get(pk=message_pk)
        if message.delivered_at is None:
            message.refusal = self._tell(self._world(message.run_id), EVENT.validate_python(message.event))
            message.delivered_at = now()
            message.save(update_fields=["delivered_at", "refusal"])
        return message.refusal

    def _tell(self, world: World, event: Event) -> str:
        if isinstance(event, ActionEnded | HandlerOverdue | LookAgain):
            world.feed(event)
            return ""
        why = refusal(world.plan, world.state, event)  # type: ignore[arg-type]
        if not why:
            world.feed(event)
        return why

    def _world(self, run_pk: int) -> World:
        if run_pk not in self.worlds:
            run = Run.objects.get(pk=run_pk)
            self.worlds[run_pk] = World(
                plan=compiled_plan(run),
                perform=partial(self._perform, run_pk),
                random=self.random,
                now=now(),
                workflow_id=run.workflow_id,
                decided=partial(self._write, run_pk),
            )
        return self.worlds[run_pk]

    def _write(
        self, run_pk: int, event: Event, before: SagaState, after: SagaState, commands: tuple[Command, ...]
    ) -> None:
        with statements.writing():
            run = store.locked(run_pk)
            page = state_change_of(before, event, after, first_seq=store.next_seq(run))
            statements.run(*store.statements_for([(run, page)]))
            for command in commands:
                if isinstance(command, CancelAction):
                    run_end.cancel_action(run, command)
                elif isinstance(command, Finish):
                    run_end.finish(run)

    def _perform(self, run_pk: int, command: RunAction, tries: int) -> None:
        self.effects.submit(self._effect, run_pk, command)

    def _effect(self, run_pk: int, command: RunAction) -> None:
        try:
            event = _ended(Run.objects.get(pk=run_pk), command)
        finally:
            connections.close_all()
        if event is None:
            return
        if event.outcome is Outcome.PARKED and event.retry_after:  # a circuit breaker goes by the wall's time
            self.not_before[run_pk] = now() + timedelta(seconds=event.retry_after)
        self.told.put(lambda: self.worlds[run_pk].feed(event))


def _ended(run: Run, command: RunAction) -> ActionEnded | None:
    with statements.writing():
        row = claim(run, command)
    if row is None:
        raise RuntimeError(f"{command} was performed after its end")
    ended = perform_attempt(run, row)
    if ended.deferred:
        Attempt.objects.filter(pk=row.pk).update(status=Attempt.DONE)
        return None
    event = ended.event(row, now())
    with statements.writing():
        store_end(row, ended, event.at)
    return event


def _may_jump(world: World) -> bool:
    """Only when nothing but time is waited for: an effect and a child take the wall's time."""
    if world.state.held or world.state.flying or world.state.external or not world.timers:
        return False
    return world.timers[0][0] - world.now <= LONGEST_JUMP

"""Hosts the pure flow in a Temporal workflow. Its commands become activities and timers."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from orchestration.core.queues import DEFAULT
    from orchestration.core.saga.codec import COMMAND, EVENT, PLAN, STATE
    from orchestration.core.saga.commands import CancelAction, Command, Finish, RunAction, StartTimer
    from orchestration.core.saga.events import Act, ActionEnded, EffectBroke, Event, RunStarted, TimerFired
    from orchestration.core.saga.flow import decide
    from orchestration.core.saga.guards import refusal
    from orchestration.core.saga.state import SagaState
    from orchestration.core.saga.state_change import PAGE, state_change_of
    from orchestration.core.saga.versions import LATEST
    from orchestration.engines.temporal.dto import (
        DELIVER,
        GRACE_SECONDS,
        MOST_TAKEN,
        NOT_OURS,
        OVER,
        PERFORM,
        RECORD,
        WORKFLOW,
        Deliver,
        Perform,
        Record,
        Start,
        Taken,
        queue_of,
    )
    from orchestration.engines.temporal.seals import (
        Order,
        is_our_start,
        is_ours,
        is_sealed,
        opened,
        ordered,
        sealed,
        took,
    )

HEARTBEAT = timedelta(seconds=5)
LONGEST_STEP = timedelta(days=366)  # of a plan that was made before plans said how long their steps may take
GRACE = timedelta(seconds=GRACE_SECONDS)
RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
"""For faults of our own machinery only: the outcome of an action is an answer, not an error. Without an end, so that an
outage uses up no tries; the activity itself gives up on what it took up too often.
"""


MOST_ORDERS = 10
"""Of one attempt, when what answers is none of ours (a worker of an older release, a stranger): again after 1, 2, 3 …
seconds. Then the run stands still and says so.
"""

SAME_KEY = "has each the same ZEN_SECRET_KEY?"


class NotOurs(Exception):
    """Fails the workflow task and not the workflow, which goes on when the processes have one key again."""


@workflow.defn(name=WORKFLOW)
class SagaWorkflow:
    """A run on Temporal. State is changed by `_feed` alone; pages (state changes) are written with the next activity.

    When no activity follows, they are written by one of their own. The names and the order of commands are part of
    stored histories (docs/adr/0008).
    """

    @workflow.init
    def __init__(self, start: Start) -> None:
        self.start = start
        self.is_sealed = is_sealed(start.rules)
        self.is_our_own = _carries_our_seal(start)
        self.not_ours = ""
        self.plan = PLAN.validate_json(start.plan)
        self.state = STATE.validate_json(start.state) if start.state else SagaState(workflow_id=start.workflow_id)
        self.next_seq = start.next_seq
        self.pages: list[str] = []
        self.cancels: list[str] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.timers: dict[str, str] = {}
        self.flying = 0
        self.parked: list[str] = []
        self.moving = False
        self.begun = self.over = False
        self.heard = start.heard
        self.taken = dict.fromkeys([*start.taken, *([start.took] if start.took else [])])  # in their order

    @workflow.run
    async def run(self, start: Start) -> str:
        """Perform what the flow decides until the run ends, or continue as new; returns the end status."""
        if (self.is_sealed or not workflow.unsafe.is_replaying()) and not (self.is_our_own or _may_be_of_before(start)):
            raise NotOurs(f"no process of this site has started this; {SAME_KEY}")
        for text in start.commands:
            self._perform(COMMAND.validate_json(text))
        if start.event:
            self._feed(EVENT.validate_json(start.event))
        self.begun = True
        while True:
            await workflow.wait_condition(self._has_something_to_do)
            finished = self.state.status.is_end
            await self._record(finished)
            if self.pages or not (finished or (self.moving and not self.flying)):
                continue
            await workflow.wait_condition(workflow.all_handlers_finished)
            if self.pages or self.state.status.is_end != finished:
                continue  # a handler had something to say: an act that came with the last answer makes the run go on
            self.over = True
            if finished:
                return self.state.status.value
            self._continue_as_new()

    @workflow.update(name=DELIVER)
    async def deliver(self, message: Deliver) -> str:
        """Take a stored message; returns which execution took it, sealed, or '' for runs of earlier releases."""
        update = workflow.current_update_info()
        if not self._took_already():
            if self.is_sealed and workflow.unsafe.is_replaying() and not _is_stored(message):
                raise NotOurs(f"its history holds a message that no process of this site has sent; {SAME_KEY}")
            if update:
                self.taken[update.id] = None
                self.heard += 1
            self._feed(EVENT.validate_json(message.event))
        if not self.is_sealed or update is None:
            return ""
        info = workflow.info()
        return took(info.workflow_id, update.id, Taken(execution=info.run_id, heard=self.heard))

    @deliver.validator
    def check(self, message: Deliver) -> None:
        """Refuse an update before it is part of the history.

        Raises ApplicationError: Refused, Over (send again) or NotOurs.
        """
        if self.over:  # its last command is given, and the server takes none after that: to be sent again
            raise ApplicationError("the workflow is just ending", type=OVER)
        if self._took_already():
            return
        if not self.begun:  # what comes with the first task is heard before `run`, and there is no run to act on yet
            raise ApplicationError("the workflow is just beginning", type=OVER)
        if not _is_stored(message):
            raise ApplicationError("this is no stored message of this site", type=NOT_OURS)
        event = EVENT.validate_json(message.event)
        reason = refusal(self.plan, self.state, event) if isinstance(event, Act) else ""
        if reason:
            raise ApplicationError(reason, type="Refused")

    def _took_already(self) -> bool:
        update = workflow.current_update_info()
        return update is not None and update.id in self.taken

    def _has_something_to_do(self) -> bool:
        if self.not_ours:
            raise NotOurs(self.not_ours)
        if self._is_long() and not self.state.status.is_end:
            self.moving = True
        return bool(self.pages or self.cancels or self.state.status.is_end or (self.moving and not self.flying))

    def _is_long(self) -> bool:
        info, limit = workflow.info(), self.start.history_limit
        return info.get_current_history_length() >= limit if limit else info.is_continue_as_new_suggested()

    def _feed(self, event: Event) -> None:
        now = workflow.now()
        event = dataclasses.replace(event, at=max(now, event.at) if isinstance(event, TimerFired) else now)
        before = self.state
        self.state, commands = decide(self.plan, before, event)
        if self.state is before:
            return
        page = state_change_of(before, event, self.state, first_seq=self.next_seq)
        self.next_seq += len(page.facts)
        self.pages.append(PAGE.dump_json(page).decode())
        for command in commands:
            self._perform(command)

    def _perform(self, command: Command) -> None:
        match command:
            case RunAction() if self.moving:
                self.parked.append(COMMAND.dump_json(command).decode())
            case RunAction():
                pages: list[str] = []
                if command.queue == DEFAULT:  # another may have no worker now, and the run's rows must not wait for one
                    pages, self.pages = self.pages, []
                self.flying += 1
                self._spawn(self._act(command, pages))
            case StartTimer():
                self._spawn(self._wait(command))
            case CancelAction():
                self.cancels.append(COMMAND.dump_json(command).decode())
            case Finish():
                pass

    def _spawn(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)  # type: ignore[arg-type]
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _act(self, command: RunAction, pages: list[str]) -> None:
        ended: str | None = None
        for number in range(1, MOST_ORDERS + 1):
            try:
                answer = await self._answer(command, pages, number)
            except ActivityError as error:
                self.pages = pages + self.pages
                self.flying -= 1
                self._feed(_broke(command, str(error.cause or error)))
                return
            ended = self._opened(answer)
            if ended is not None:
                break
            await workflow.sleep(number)
        if ended is None:
            which = f"attempt {command.attempt} of step '{command.step_id}'"
            self.not_ours = f"no process of this site has answered {which}; {SAME_KEY}"
            return
        self.flying -= 1
        if ended:
            event = EVENT.validate_json(ended)
            self._feed(event if _answers(command, event) else _broke(command, "its answer is not that of the attempt"))

    async def _answer(self, command: RunAction, pages: list[str], number: int) -> str:
        """Ordered for the so many-th time. What one of ours has performed already answers from its row."""
        text = COMMAND.dump_json(command).decode()
        name = f"{command.step_id}:{command.purpose}:{command.iteration}:{command.attempt}"
        answer: str = await workflow.execute_activity(
            PERFORM,
            self._ordered(Perform(run_pk=self.start.run_pk, command=text, pages=pages, heard=self.heard)),
            result_type=str,
            task_queue=queue_of(workflow.info().task_queue, command.queue),
            activity_id=name if number == 1 else f"{name}:{number}",
            start_to_close_timeout=self._limit(command.step_id),
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RETRY,
            summary=f"{command.step_id} {command.purpose} {command.attempt}",
        )
        return answer

    def _ordered(self, order: Order) -> Order:
        """With a seal, if we know who started this workflow. The activities know which runs need none."""
        return ordered(workflow.info().workflow_id, order) if self.is_our_own else order

    def _opened(self, answer: str) -> str | None:
        """What the attempt came to; '' when that arrives later; None when the answer is not ours."""
        if not answer or not self.is_sealed:
            return answer
        return opened(workflow.info().workflow_id, self.start.run_pk, answer)

    def _limit(self, step_id: str) -> timedelta:
        """How long an attempt may take.

        Actions bound themselves, and heartbeats show a lost worker, so this is a last bound.
        """
        seconds = self.plan.steps[step_id].timeout_seconds
        return (LONGEST_STEP if seconds is None else timedelta(seconds=seconds)) + GRACE

    async def _wait(self, timer: StartTimer) -> None:
        key = COMMAND.dump_json(timer).decode()
        self.timers[key] = key
        await workflow.sleep(max(0.0, _left(timer)))
        while self.is_sealed and _left(timer) > 0:  # a worker that is not ours has begun a shorter one
            await workflow.sleep(_left(timer))
        del self.timers[key]
        self._feed(
            TimerFired(
                at=timer.due,
                timer=timer.timer,
                step_id=timer.step_id,
                purpose=timer.purpose,
                iteration=timer.iteration,
                attempt=timer.attempt,
            )
        )

    async def _record(self, finished: bool) -> None:
        pages, self.pages = self.pages, []
        cancels, self.cancels = self.cancels, []
        if not pages and not cancels and not finished:
            return
        run = self.start.run_pk
        await workflow.execute_local_activity(
            RECORD,
            self._ordered(Record(run_pk=run, pages=pages, cancels=cancels, finished=finished, heard=self.heard)),
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=HEARTBEAT),
        )

    def _continue_as_new(self) -> None:
        start = dataclasses.replace(
            self.start,
            plan=PLAN.dump_json(dataclasses.replace(self.plan, flow=LATEST)).decode(),  # no history binds it
            event="",
            state=STATE.dump_json(self.state).decode(),
            next_seq=self.next_seq,
            commands=[*self.parked, *self.timers],
            taken=[*self.taken][-MOST_TAKEN:],
            heard=self.heard,
            seal="",
        )
        workflow.continue_as_new(sealed(start) if self.is_our_own else start)


def _left(timer: StartTimer) -> float:
    return (timer.due - workflow.now()).total_seconds()


def _carries_our_seal(start: Start) -> bool:
    return start.workflow_id == workflow.info().workflow_id and is_our_start(start)


def _may_be_of_before(start: Start) -> bool:
    """It may come from a release that did not seal yet. Whether its run does, the activities ask the database."""
    if start.seal or is_sealed(start.rules):
        return False
    is_new = not start.state and not start.commands and bool(start.event)
    begins = is_new and isinstance(EVENT.validate_json(start.event), RunStarted)
    return begins or bool(workflow.info().continued_run_id)


def _is_stored(message: Deliver) -> bool:
    update = workflow.current_update_info()
    return update is not None and is_ours(workflow.info().workflow_id, update.id, message)


def _answers(command: RunAction, event: Event) -> bool:
    return (
        isinstance(event, ActionEnded)
        and (event.step_id, event.purpose) == (command.step_id, command.purpose)
        and (event.iteration, event.attempt) == (command.iteration, command.attempt)
    )


def _broke(command: RunAction, error: str) -> EffectBroke:
    return EffectBroke(
        at=workflow.now(),
        step_id=command.step_id,
        purpose=command.purpose,
        iteration=command.iteration,
        attempt=command.attempt,
        error=error[:2000],
    )

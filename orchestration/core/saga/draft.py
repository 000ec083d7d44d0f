"""A state being changed by one event: mutable inside a decision, frozen when it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from orchestration.core.backoff import LONGEST_RETRY_AFTER, delay_seconds, jitter_key
from orchestration.core.enums import Cause, Purpose, RunStatus, StepStatus, UndoStatus
from orchestration.core.saga.commands import CancelAction, Command, RunAction, StartTimer
from orchestration.core.saga.plan import Plan, PlanStep
from orchestration.core.saga.state import FRESH, SagaState, StepState


class Draft:
    """Head fields of SagaState as attributes, steps through `put`, which keeps the counters true."""

    def __init__(self, plan: Plan, state: SagaState, at: datetime) -> None:
        self.plan = plan
        self.at = at
        self.before = state
        self.steps: dict[str, StepState] = dict(state.steps)
        self.commands: list[Command] = []
        self.status: RunStatus = state.status
        self.cause: Cause | None = state.cause
        self.round = state.round
        self.pivoted = state.pivoted
        self.held = state.held
        self.hold_reason = state.hold_reason
        self.aborting = state.aborting
        self.undoing = state.undoing
        self.open = state.open
        self.becomes_overdue = False
        self.counts = {
            "flying": state.flying,
            "external": state.external,
            "waiting": state.waiting,
            "backing_off": state.backing_off,
        }

    @property
    def drained(self) -> bool:
        return self.counts["flying"] == 0 and self.counts["external"] == 0

    @property
    def has_room(self) -> bool:
        return self.counts["flying"] < self.plan.max_parallel

    @property
    def overdue(self) -> bool:
        """Whether a handler in flight is overdue. A run in which one is needs attention, so most need no look."""
        looks = self.before.status is RunStatus.NEEDS_ATTENTION or self.becomes_overdue
        return looks and any(step.overdue for step in self.steps.values())

    def step(self, step_id: str) -> StepState:
        return self.steps.get(step_id, FRESH)

    def put(self, step_id: str, **changes: Any) -> StepState:
        """Change a step. The counters follow; `changes` are fields of StepState."""
        plan_step, old = self.plan.steps[step_id], self.step(step_id)
        new = replace(old, **changes)
        if (new.waiting or new.parked or new.knocked) and new.status is not StepStatus.RUNNING:
            new = replace(new, waiting=False, parked=False, knocked=False)
        if new.overdue and counter_of(plan_step, new) != "flying":
            new = replace(new, overdue=False)
        self.steps[step_id] = new
        for was, delta in ((old, -1), (new, 1)):
            counter = counter_of(plan_step, was)
            if counter:
                self.counts[counter] += delta
        self.open += old.settled - new.settled
        return new

    def hold(self, reason: str) -> None:
        self.held, self.hold_reason = True, reason

    def unhold(self) -> None:
        self.held, self.hold_reason = False, ""

    def run_forward(self, step_id: str) -> None:
        """Launch the next attempt of a step's forward action; a wait step starts its timer instead."""
        plan_step = self.plan.steps[step_id]
        step = self.put(step_id, status=StepStatus.RUNNING, attempt=self.step(step_id).attempt + 1)
        if plan_step.wait_seconds is None:
            self.commands.append(
                RunAction(
                    step_id=step_id,
                    purpose=Purpose.FORWARD,
                    iteration=step.iteration,
                    attempt=step.attempt,
                    queue=plan_step.queue,
                )
            )
        else:
            self._start_timer("wait", plan_step.wait_seconds, step_id, Purpose.FORWARD, step.iteration, step.attempt)

    def wait_until(self, step_id: str, due: datetime) -> None:
        """The action of a wait step has said when it is over."""
        step = self.put(step_id, waiting=True)
        seconds = (due - self.at).total_seconds()
        self._start_timer("wait", seconds, step_id, Purpose.FORWARD, step.iteration, step.attempt)

    def run_undo(self, step_id: str) -> None:
        old = self.step(step_id)
        step = self.put(
            step_id, undo=UndoStatus.COMPENSATING, undo_attempt=old.undo_attempt + 1, undo_backing_off=False
        )
        self.commands.append(
            RunAction(
                step_id=step_id,
                purpose=Purpose.UNDO,
                iteration=step.in_hand,
                attempt=step.undo_attempt,
                alternative=step.alternative,
                queue=self.plan.steps[step_id].queue,
            )
        )

    def undo_next_iteration(self, step_id: str) -> None:
        """Begin to undo the step's next other iteration, if there is one; the present one is closed."""
        step = self.step(step_id)
        effect = step.next_to_undo
        if effect is None:
            return
        self.put(
            step_id,
            undo=UndoStatus.PENDING,
            undo_iteration=effect.iteration,
            undo_attempt=0,
            undo_budget_from=0,
            undo_backing_off=False,
            alternative=False,
            resolution=None,
            others=tuple(other for other in step.effects if other.iteration != effect.iteration),
        )

    def back_off(self, step_id: str, purpose: Purpose, tries: int, retry_after: float | None) -> None:
        """Arm the timer of the next attempt; `tries` is how much of the budget is used."""
        attempt, iteration = self._in_hand(step_id, purpose)
        key = jitter_key(self.before.workflow_id, step_id, purpose, iteration)
        delay = delay_seconds(
            key=key, step=self.plan.steps[step_id], purpose=purpose, tries=tries, retry_after=retry_after
        )
        self._start_timer("backoff", delay, step_id, purpose, iteration, attempt)

    def come_again(self, step_id: str, purpose: Purpose, seconds: float) -> None:
        """Arm the timer of the next attempt for then, up to an hour from now."""
        attempt, iteration = self._in_hand(step_id, purpose)
        seconds = min(max(0.0, seconds), LONGEST_RETRY_AFTER)
        self._start_timer("backoff", seconds, step_id, purpose, iteration, attempt)

    def _in_hand(self, step_id: str, purpose: Purpose) -> tuple[int, int]:
        """The attempt and the iteration that a timer is about."""
        step = self.step(step_id)
        if purpose is Purpose.FORWARD:
            return step.attempt, step.iteration
        return step.undo_attempt, step.in_hand

    def start_deadline(self) -> None:
        if self.plan.timeout_seconds is not None:
            self._start_timer("deadline", self.plan.timeout_seconds, "", Purpose.FORWARD, self.round, 0)

    def cancel_in_flight(self) -> None:
        """Ask what can stop early to stop: an abort need not wait out a long script or a child."""
        for step_id, step in self.steps.items():
            plan_step = self.plan.steps[step_id]
            in_flight = step.status is StepStatus.RUNNING and not is_timer(plan_step, step)
            if step.parked or (in_flight and plan_step.cancellable):
                self.cancel(step_id)

    def cancel(self, step_id: str) -> None:
        step = self.step(step_id)
        self.commands.append(
            CancelAction(step_id=step_id, purpose=Purpose.FORWARD, iteration=step.iteration, attempt=step.attempt)
        )

    def frozen(self) -> SagaState:
        return SagaState(
            workflow_id=self.before.workflow_id,
            status=self.status,
            cause=self.cause,
            version=self.before.version + 1,
            round=self.round,
            flying=self.counts["flying"],
            external=self.counts["external"],
            waiting=self.counts["waiting"],
            backing_off=self.counts["backing_off"],
            open=self.open,
            pivoted=self.pivoted,
            held=self.held,
            hold_reason=self.hold_reason,
            aborting=self.aborting,
            undoing=self.undoing,
            steps=self.steps,
        )

    def _start_timer(
        self, timer: Any, seconds: float, step_id: str, purpose: Purpose, iteration: int, attempt: int
    ) -> None:
        self.commands.append(
            StartTimer(
                timer=timer,
                due=self.at + timedelta(seconds=seconds),
                step_id=step_id,
                purpose=purpose,
                iteration=iteration,
                attempt=attempt,
            )
        )


def counter_of(plan_step: PlanStep, step: StepState) -> str:
    """Which counter of the state a step stands in; '' for none."""
    if step.undo is UndoStatus.COMPENSATING:
        return "" if step.undo_backing_off else "flying"
    if step.status is StepStatus.BACKING_OFF:
        return "backing_off"
    if step.status is not StepStatus.RUNNING:
        return ""
    if is_timer(plan_step, step):
        return "waiting"
    return "external" if plan_step.external else "flying"


def is_timer(plan_step: PlanStep, step: StepState) -> bool:
    """Whether a running step only waits, for a time or at a gate: nothing of it has to end before the way back."""
    return plan_step.wait_seconds is not None or step.waiting or step.parked

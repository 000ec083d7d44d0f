"""Second chances in the flow: as many as were asked for, and not one where the run is left or people have said no."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given

from orchestration.core.enums import Cause, Outcome, Purpose, RunStatus, StepStatus
from orchestration.core.saga.codec import PLAN, STEP
from orchestration.core.saga.commands import RunAction, StartTimer
from orchestration.core.saga.events import AbortRequested, ActionEnded, RetryRequested, TimerFired
from orchestration.core.saga.flow import decide
from orchestration.core.saga.plan import Plan
from orchestration.core.saga.second_chances import second_chances
from orchestration.core.saga.state import SagaState, StepState
from tests.orchestration.core.saga_world import T0, World, make_plan
from tests.orchestration.core.strategies import plans, seeds
from tests.support.examples import examples


@examples(60)
@given(plan=plans(), random=seeds())
def test_each_step_is_tried_as_often_as_its_budget_and_its_chances_say(plan: Plan, random: Random) -> None:
    world = World(plan, lambda _: random.choice([Outcome.RETRYABLE, Outcome.UNKNOWN]), random)
    world.run()
    tried = Counter(command.step_id for command, _ in world.performed if command.purpose is Purpose.FORWARD)
    for step_id, count in tried.items():
        most = plan.steps[step_id].retry_count + 1 + len(plan.second_chances)
        assert count == most or (count < most and world.state.cause is not None)
        assert world.state.step(step_id).chances <= len(plan.second_chances)


@examples(60)
@given(plan=plans(pivots=True), random=seeds())
def test_what_was_refused_is_asked_once_more_at_most(plan: Plan, random: Random) -> None:
    world = World(plan, lambda c: Outcome.FAILED if c.purpose is Purpose.FORWARD else Outcome.SUCCEEDED, random)
    world.run()
    tried = Counter(command.step_id for command, _ in world.performed if command.purpose is Purpose.FORWARD)
    assert all(count <= 1 + min(1, len(plan.second_chances)) for count in tried.values())


def failing(plan: Plan, outcome: Outcome = Outcome.RETRYABLE, **more: object) -> tuple[SagaState, list[object]]:
    """A run of one step 'a' whose first attempt ended so, with what follows."""
    world = World(plan, lambda _: outcome, Random(1))
    world.start()
    ended = ActionEnded(
        at=T0, step_id="a", purpose=Purpose.FORWARD, iteration=1, attempt=1, outcome=outcome, **more,  # type: ignore[arg-type]
    )  # fmt: skip
    state, commands = decide(plan, world.state, ended)
    return state, list(commands)


def pause(commands: list[object]) -> float | None:
    timers = [command for command in commands if isinstance(command, StartTimer)]
    return (timers[0].due - T0).total_seconds() if timers else None


def test_the_pause_is_the_one_that_was_asked_for_or_what_the_other_side_asks() -> None:
    plan = make_plan({"a": ()}, second_chances=(10.0, 60.0))
    assert pause(failing(plan)[1]) == 10.0 and pause(failing(plan, retry_after=40.0)[1]) == 40.0
    assert pause(failing(plan, Outcome.FAILED)[1]) == 10.0
    assert pause(failing(plan, Outcome.FAILED, cause=Cause.REJECTED)[1]) is None  # people said no
    assert pause(failing(make_plan({"a": ()}, second_chances=(10.0,), a={"external": True}), Outcome.FAILED)[1]) is None
    assert failing(make_plan({"a": ()}))[0].status is RunStatus.ROLLED_BACK


def test_a_deadline_and_an_abort_cut_it_short() -> None:
    plan = make_plan({"a": ()}, second_chances=(3600.0,), timeout=5.0)
    waiting, _ = failing(plan)
    assert waiting.step("a").status is StepStatus.BACKING_OFF and waiting.status is RunStatus.RUNNING
    late = TimerFired(at=T0, timer="deadline", iteration=1)
    for event in (AbortRequested(at=T0, cause=Cause.CANCELLED), late):
        over, _ = decide(plan, waiting, event)
        assert over.status is RunStatus.ROLLED_BACK and over.step("a").status is StepStatus.FAILED


def test_a_persons_retry_gives_the_chances_anew() -> None:
    plan = make_plan({"p": (), "a": ("p",)}, second_chances=(1.0,), p={"pivot": True})
    world = World(plan, lambda c: Outcome.SUCCEEDED if c.step_id == "p" else Outcome.RETRYABLE, Random(1))
    world.start()
    while not world.state.held and world.step():
        pass
    assert world.state.step("a").blocked and world.state.step("a").chances == 1
    state, commands = decide(plan, world.state, RetryRequested(at=T0, step_id="a"))
    assert state.step("a").chances == 0 and any(isinstance(one, RunAction) for one in commands)


def test_what_was_stored_before_stays_as_it_is() -> None:
    assert "second_chances" not in PLAN.dump_json(make_plan({"a": ()})).decode()
    assert "chances" not in STEP.dump_python(StepState(), mode="json") and STEP.validate_python({}).chances == 0
    plan = make_plan({"a": ()}, second_chances=(10.0, 60.0))
    assert PLAN.validate_json(PLAN.dump_json(plan)) == plan
    assert second_chances(True) == (10.0, 60.0, 300.0) and second_chances([1, 2.5]) == (1.0, 2.5)
    assert [second_chances(one) for one in (False, None, "yes", [], [0], [True])] == [()] * 6

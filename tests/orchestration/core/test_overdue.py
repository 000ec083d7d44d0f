"""A handler that is overdue keeps its attempt in flight, whatever else happens."""

from __future__ import annotations

from random import Random

from hypothesis import given

from orchestration.core.enums import Cause, Purpose, RunStatus
from orchestration.core.saga.commands import RunAction
from orchestration.core.saga.events import AbortRequested, HandlerOverdue
from orchestration.core.saga.plan import Plan
from tests.orchestration.core.saga_world import World
from tests.orchestration.core.strategies import OUTCOMES, plans, seeds
from tests.support.examples import examples

MANY = examples(200)


def overdue(run: World, command: RunAction) -> HandlerOverdue:
    return HandlerOverdue(
        at=run.now,
        step_id=command.step_id,
        purpose=command.purpose,
        iteration=command.iteration,
        attempt=command.attempt,
        error="told to stop",
    )


@MANY
@given(plan=plans(pivots=True), random=seeds())
def test_nothing_of_its_step_is_begun_before_it_has_ended(plan: Plan, random: Random) -> None:
    run = World(plan, lambda command: random.choice(OUTCOMES), random)
    run.start()
    for _ in range(random.randrange(12)):
        run.step()
    if not run.in_flight or run.state.status.is_end:
        return
    late = run.flights.pop(random.randrange(len(run.flights)))
    run.feed(overdue(run, late.command))
    assert run.state.status is RunStatus.NEEDS_ATTENTION
    begun = len(run.launched)
    if random.random() < 0.5:
        run.feed(AbortRequested(at=run.now, cause=Cause.OPERATOR, by="ada"))
    for _ in range(2_000):
        if not run.step():
            break
    assert run.state.status is RunStatus.NEEDS_ATTENTION
    assert late.command.step_id not in [command.step_id for command in run.launched[begun:]]
    if late.command.purpose is Purpose.FORWARD:
        assert not any(command.purpose is Purpose.UNDO for command in run.launched)
    run.flights.append(late)
    while not run.state.status.is_end and run.step():
        pass
    assert not any(step.overdue for step in run.state.steps.values())


@MANY
@given(plan=plans(pivots=True), random=seeds())
def test_it_is_told_once_and_only_of_what_is_in_flight(plan: Plan, random: Random) -> None:
    run = World(plan, lambda command: random.choice(OUTCOMES), random)
    run.start()
    told = run.in_flight
    for command in told:
        run.feed(overdue(run, command))
        before = run.state
        run.feed(overdue(run, command))
        assert run.state is before
    while not run.state.status.is_end and run.step():
        pass
    before = run.state
    for command in told:
        run.feed(overdue(run, command))
    assert run.state is before

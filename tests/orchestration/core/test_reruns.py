"""A rerun forgets nothing: whatever any iteration did is undone once after an abort, or said to stand."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.core.enums import Answer, Cause, Outcome, Purpose, RunStatus, StepStatus, UndoStatus
from orchestration.core.saga.commands import RunAction
from orchestration.core.saga.compensation import preview_abort, undo_waves
from orchestration.core.saga.events import (
    AbortRequested,
    ActionEnded,
    ForceStopRequested,
    RerunRequested,
    ResolveRequested,
)
from orchestration.core.saga.guards import refusal
from tests.orchestration.core.saga_world import World, make_plan
from tests.orchestration.core.strategies import OUTCOMES, plans, seeds
from tests.support.examples import examples

MANY = examples(150)
Did = tuple[str, int]


def go_on(run: World) -> None:
    """Until nothing happens by itself."""
    for _ in range(5000):
        if not run.step():
            return
    raise AssertionError("the run goes on for ever")


def rerun(run: World, step_id: str) -> bool:
    event = RerunRequested(at=run.now, step_id=step_id)
    if refusal(run.plan, run.state, event):
        return False
    run.feed(event)
    go_on(run)
    return True


def abort(run: World) -> None:
    """As a parent does with a child that has completed."""
    run.feed(AbortRequested(at=run.now, cause=Cause.OPERATOR, undo_completed=True))
    go_on(run)


def did(run: World) -> set[Did]:
    """By the service's books, whatever the flow remembers of it."""
    return {
        (event.step_id, event.iteration)
        for event, _, _ in run.log
        if isinstance(event, ActionEnded)
        and event.purpose is Purpose.FORWARD
        and event.outcome in (Outcome.SUCCEEDED, Outcome.UNKNOWN)
    }


def undone(run: World) -> list[Did]:
    return [(c.step_id, c.iteration) for c in run.launched if c.purpose is Purpose.UNDO]


@st.composite
def lived(draw: st.DrawFn, *, undo_fails: bool = False) -> World:
    """A run that was rerun a few times, now and then from its JSON form."""
    plan, random = draw(plans(waits=False)), draw(seeds())

    def answer(command: RunAction) -> Outcome:
        if command.purpose is Purpose.UNDO and not undo_fails:
            return Outcome.SUCCEEDED
        return random.choice(OUTCOMES)

    run = World(plan, answer, random, restore=draw(st.booleans()))
    run.start()
    go_on(run)
    for step_id in draw(st.lists(st.sampled_from(plan.order), max_size=3)):
        rerun(run, step_id)
    return run


@MANY
@given(run=lived())
def test_every_executed_step_of_any_iteration_with_an_undo_is_undone_exactly_once(run: World) -> None:
    abort(run)
    assert run.state.status is RunStatus.ROLLED_BACK
    owed = {(step_id, n) for step_id, n in did(run) if run.plan.steps[step_id].has_undo}
    assert Counter(undone(run)) == Counter(owed)
    for step in run.state.steps.values():
        assert all(effect.undo is not UndoStatus.FAILED for effect in step.effects)


@MANY
@given(run=lived())
def test_in_reverse_waves_and_each_step_s_latest_iteration_first(run: World) -> None:
    abort(run)
    done = undone(run)
    levels = [run.plan.steps[step_id].level for step_id, _ in done]
    assert levels == sorted(levels, reverse=True)
    for step_id in run.plan.order:
        iterations = [n for undone_step, n in done if undone_step == step_id]
        assert iterations == sorted(iterations, reverse=True)


@MANY
@given(run=lived(undo_fails=True), data=st.data())
def test_people_close_what_fails_and_the_end_says_what_was_lost(run: World, data: st.DataObject) -> None:
    abort(run)
    while run.state.status is RunStatus.NEEDS_ATTENTION:
        (stuck, *_), *_ = undo_waves(run.plan, run.state)
        answer = data.draw(st.sampled_from([Answer.RETRY, Answer.DONE_BY_HAND, Answer.ACCEPT_LOSS]))
        run.feed(ResolveRequested(at=run.now, step_id=stuck, answer=answer))
        go_on(run)
    effects = {
        (step_id, effect.iteration): effect
        for step_id, step in run.state.steps.items()
        for effect in step.effects
        if run.plan.steps[step_id].has_undo
    }
    assert effects.keys() == {(step_id, n) for step_id, n in did(run) if run.plan.steps[step_id].has_undo}
    lost = {key for key, effect in effects.items() if effect.stands}
    assert all(effects[key].resolution is Answer.ACCEPT_LOSS for key in lost)
    assert run.state.status is (RunStatus.ROLLBACK_INCOMPLETE if lost else RunStatus.ROLLED_BACK)


@MANY
@given(run=lived())
def test_what_stands_after_a_force_stop_is_all_still_there(run: World) -> None:
    if run.state.status.is_end:
        rerunning = RerunRequested(at=run.now, step_id=run.plan.order[0])
        if refusal(run.plan, run.state, rerunning):
            return
        run.feed(rerunning)
    run.feed(ForceStopRequested(at=run.now + timedelta(seconds=1)))
    kept = {(step_id, effect.iteration) for step_id, step in run.state.steps.items() for effect in step.effects}
    assert did(run) - set(undone(run)) <= kept


def rerun_twice(**of_b: object) -> World:
    plan = make_plan({"a": (), "b": ("a",), "c": ("b",)}, a={"has_undo": True}, b={"has_undo": True}, c=of_b)
    run = World(plan, lambda _: Outcome.SUCCEEDED, Random(1))
    run.run()
    assert rerun(run, "b")
    return run


def test_the_preview_names_the_iterations_before() -> None:
    run = rerun_twice()
    shown = preview_abort(run.plan, run.state)
    assert (shown.waves, shown.without_undo, shown.earlier) == ((("b",), ("a",)), ("c",), {"b": (1,), "c": (1,)})


def test_a_pivot_stays_passed_when_it_is_rerun() -> None:
    run = rerun_twice(pivot=True)
    assert "'c' is the pivot" in refusal(run.plan, run.state, AbortRequested(at=run.now, cause=Cause.OPERATOR,
                                                                             undo_completed=True))  # fmt: skip
    run.answer = lambda _: Outcome.FAILED
    rerun(run, "b")
    assert run.state.status is RunStatus.HELD and run.state.step("b").status is StepStatus.FAILED
    assert "'c' is the pivot" in refusal(run.plan, run.state, AbortRequested(at=run.now, cause=Cause.OPERATOR))


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNKNOWN])
def test_a_failing_rerun_undoes_what_was_there_before_it(outcome: Outcome) -> None:
    run = rerun_twice()
    run.answer = lambda c: outcome if c.purpose is Purpose.FORWARD else Outcome.SUCCEEDED
    rerun(run, "b")
    now = [("b", 3)] if outcome is Outcome.UNKNOWN else []
    assert run.state.status is RunStatus.ROLLED_BACK
    assert undone(run) == [*now, ("b", 2), ("b", 1), ("a", 1)]

"""The saga flow under random plans, outcomes, orders and acts: what always holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from orchestration.core.enums import Answer, Cause, Outcome, Purpose, RunStatus, StepStatus, UndoStatus
from orchestration.core.saga.commands import Finish, RunAction
from orchestration.core.saga.compensation import in_waves, is_owed, preview_abort, undo_waves
from orchestration.core.saga.events import (
    AbortRequested,
    ActionEnded,
    EffectBroke,
    ForceStopRequested,
    HoldRequested,
    ReleaseRequested,
    ResolveRequested,
    RetryRequested,
    SkipRequested,
)
from orchestration.core.saga.flow import decide
from orchestration.core.saga.guards import blocked_steps, refusal
from orchestration.core.saga.plan import Plan
from orchestration.core.saga.state import SagaState
from tests.orchestration.core.saga_world import World
from tests.orchestration.core.strategies import OUTCOMES, plans, seeds
from tests.support.examples import examples

MANY = examples(400)


def world(plan: Plan, random: Random, *, duplicates: bool = False) -> World:
    return World(plan, lambda command: random.choice(OUTCOMES), random, duplicates=duplicates)


def ran_first_at(run: World) -> dict[str, int]:
    return {c.step_id: n for n, c in reversed([*enumerate(run.launched)]) if c.purpose is Purpose.FORWARD}


@MANY
@given(plan=plans(), random=seeds())
def test_no_step_starts_before_its_dependencies_are_settled(plan: Plan, random: Random) -> None:
    run = world(plan, random)
    run.run()
    before = SagaState(workflow_id="w")
    for _, commands, after in run.log:
        for command in commands:
            if isinstance(command, RunAction) and command.purpose is Purpose.FORWARD:
                assert all(after.step(d).settled for d in plan.steps[command.step_id].dependencies)
                assert not before.aborting
        before = after


@MANY
@given(plan=plans(pivots=True), random=seeds())
def test_never_more_at_once_than_allowed(plan: Plan, random: Random) -> None:
    run = world(plan, random)
    run.run()
    assert run.most_at_once <= plan.max_parallel


@MANY
@given(plan=plans(), random=seeds())
def test_after_an_abort_everything_executed_is_undone_once_in_reverse_waves(plan: Plan, random: Random) -> None:
    run = World(plan, lambda c: Outcome.SUCCEEDED if c.purpose is Purpose.UNDO else random.choice(OUTCOMES), random)
    state = run.run()
    undone = [c.step_id for c in run.launched if c.purpose is Purpose.UNDO]
    if state.status is not RunStatus.ROLLED_BACK:
        assert state.status is RunStatus.COMPLETED and not undone
        return
    owed = [s for s, step in state.steps.items() if step.executed and plan.steps[s].has_undo]
    assert Counter(undone) == Counter(owed)
    levels = [plan.steps[s].level for s in undone]
    assert levels == sorted(levels, reverse=True)
    assert all(state.step(s).undo is UndoStatus.COMPENSATED for s in owed)


@MANY
@given(plan=plans(), random=seeds())
def test_a_wave_starts_only_when_the_one_before_has_ended(plan: Plan, random: Random) -> None:
    run = world(plan, random)
    run.run()
    for _, commands, after in run.log:
        for command in commands:
            if isinstance(command, RunAction) and command.purpose is Purpose.UNDO:
                level = plan.steps[command.step_id].level
                assert not any(is_owed(step) and plan.steps[s].level > level for s, step in after.steps.items())
                assert after.flying <= 1 or plan.compensation_order == "parallel"


@MANY
@given(plan=plans(pivots=True), random=seeds())
def test_nothing_is_undone_after_the_pivot(plan: Plan, random: Random) -> None:
    run = world(plan, random)
    run.run()
    for _, commands, after in run.log:
        if after.pivoted:
            assert not any(isinstance(c, RunAction) and c.purpose is Purpose.UNDO for c in commands)
            assert after.status not in (RunStatus.ROLLED_BACK, RunStatus.NEEDS_ATTENTION)


@MANY
@given(plan=plans(), random=seeds())
def test_a_non_critical_failure_never_aborts(plan: Plan, random: Random) -> None:
    def answer(command: RunAction) -> Outcome:
        return Outcome.SUCCEEDED if plan.steps[command.step_id].critical else Outcome.FAILED

    run = World(plan, answer, random)
    state = run.run()
    if state.cause is not Cause.TIMED_OUT:
        assert state.status is RunStatus.COMPLETED and state.cause is None


@MANY
@given(plan=plans(), random=seeds())
def test_cancelling_while_compensating_changes_nothing(plan: Plan, random: Random) -> None:
    run = world(plan, random)
    run.start()
    for _ in range(200):
        if run.state.aborting:
            again = AbortRequested(at=run.now, cause=Cause.CANCELLED)
            assert decide(plan, run.state, again) == (run.state, ())
        if run.state.status.is_end or not run.step():
            break


@MANY
@given(plan=plans(pivots=True), random=seeds())
def test_the_end_state_is_what_the_steps_say(plan: Plan, random: Random) -> None:
    run = world(plan, random)
    state = run.run()
    steps = [state.step(s) for s in plan.order]
    if state.status is RunStatus.COMPLETED:
        assert all(step.settled for step in steps) and all(step.undo is UndoStatus.NOT_NEEDED for step in steps)
    if state.status is RunStatus.ROLLED_BACK:
        assert not any(is_owed(step) for step in steps)
    assert len(run.finished) == state.status.is_end
    assert state.open == sum(not step.settled for step in steps)


@MANY
@given(plan=plans(pivots=True), random=seeds())
def test_any_prefix_survives_serialisation(plan: Plan, random: Random) -> None:
    seed = random.getrandbits(32)
    plain, restored = Random(seed), Random(seed)
    one = World(plan, lambda _: plain.choice(OUTCOMES), plain)
    two = World(plan, lambda _: restored.choice(OUTCOMES), restored, restore=True)
    assert one.run() == two.run()
    assert [commands for _, commands, _ in one.log] == [commands for _, commands, _ in two.log]


@MANY
@given(plan=plans(pivots=True), random=seeds())
def test_duplicates_and_stale_results_change_nothing(plan: Plan, random: Random) -> None:
    run = world(plan, random, duplicates=True)
    run.run()
    for event, _, _ in run.log:
        if isinstance(event, ActionEnded):
            assert decide(plan, run.state, event) == (run.state, ())


@MANY
@given(plan=plans(pivots=True), random=seeds(), data=st.data())
def test_people_and_machinery_never_leave_a_run_stuck(plan: Plan, random: Random, data: st.DataObject) -> None:
    """Whatever people do and whatever breaks, a run that goes on has a command, a timer or a person to wait for."""
    run = world(plan, random)
    run.start()
    for _ in range(120):
        if run.state.status.is_end:
            break
        _something_happens(run, data)
        assert run.state.flying == sum(c in _in_hand(run) for c in run.launched if _current(run.state, c))
        waits_for_people = run.state.held or run.state.status is RunStatus.NEEDS_ATTENTION
        assert run.state.status.is_end or run.flights or run.answers or run.timers or waits_for_people
    _bring_to_an_end(run)
    assert run.state.status.is_end


def _in_hand(run: World) -> list[RunAction]:
    """Attempts that are performed, or whose answer is on its way."""
    heard = [
        command
        for command in run.launched
        if any(
            (answer.step_id, answer.purpose, answer.iteration, answer.attempt)
            == (command.step_id, command.purpose, command.iteration, command.attempt)
            for answer in run.answers
            if isinstance(answer, ActionEnded)
        )
    ]
    return run.in_flight + heard


def _current(state: SagaState, command: RunAction) -> bool:
    step = state.step(command.step_id)
    if command.purpose is Purpose.UNDO:
        return (
            step.undo is UndoStatus.COMPENSATING and not step.undo_backing_off and command.attempt == step.undo_attempt
        )
    return step.status is StepStatus.RUNNING and command.attempt == step.attempt


def _something_happens(run: World, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["world"] * 6 + ["hold", "release", "abort", "skip", "retry", "broke", "resolve"]))
    step_id = data.draw(st.sampled_from(list(run.plan.order)))
    match kind:
        case "hold":
            run.feed(HoldRequested(at=run.now))
        case "release":
            run.feed(ReleaseRequested(at=run.now))
        case "abort":
            run.feed(AbortRequested(at=run.now, cause=Cause.OPERATOR))
        case "skip":
            run.feed(SkipRequested(at=run.now, step_id=step_id))
        case "retry":
            run.feed(RetryRequested(at=run.now, step_id=step_id))
        case "resolve":
            answer = data.draw(st.sampled_from(list(Answer)))
            run.feed(ResolveRequested(at=run.now, step_id=step_id, answer=answer))
        case "broke" if run.in_flight:
            command = run.lose()
            run.feed(
                EffectBroke(
                    at=run.now, step_id=command.step_id, purpose=command.purpose, iteration=command.iteration,
                    attempt=command.attempt, error="boom",
                )
            )  # fmt: skip
        case _:
            run.step()


def _bring_to_an_end(run: World) -> None:
    """What an operator would do: answer what is asked, release what is held."""
    for _ in range(2000):
        if run.state.status.is_end:
            return
        if run.step():
            continue
        for step_id in blocked_steps(run.state):
            run.feed(SkipRequested(at=run.now, step_id=step_id))
        for wave in undo_waves(run.plan, run.state) if run.state.undoing else ():
            for step_id in wave:
                run.feed(ResolveRequested(at=run.now, step_id=step_id, answer=Answer.ACCEPT_LOSS))
        run.feed(ReleaseRequested(at=run.now))


@MANY
@given(plan=plans(), random=seeds(), steps=st.integers(0, 12))
def test_the_preview_is_what_an_abort_then_does(plan: Plan, random: Random, steps: int) -> None:
    run = World(plan, lambda c: Outcome.SUCCEEDED, random)
    run.start()
    for _ in range(steps):
        if run.state.status.is_end or not run.step():
            break
    abort = AbortRequested(at=run.now, cause=Cause.OPERATOR)
    if refusal(plan, run.state, abort):
        return
    shown = preview_abort(plan, run.state)
    run.feed(abort)
    while not run.state.status.is_end and run.step():
        pass
    undone = [c.step_id for c in run.launched if c.purpose is Purpose.UNDO]
    flown = [s for s in shown.in_flight if s in undone]
    expected = in_waves(plan, [s for wave in shown.waves for s in wave] + flown)
    assert in_waves(plan, undone) == expected


@MANY
@given(plan=plans(pivots=True), random=seeds(), after=st.integers(0, 10))
def test_a_force_stop_ends_at_once_and_undoes_nothing_more(plan: Plan, random: Random, after: int) -> None:
    run = world(plan, random)
    run.start()
    for _ in range(after):
        if not run.step():
            break
    if run.state.status.is_end:
        return
    state, commands = decide(plan, run.state, ForceStopRequested(at=run.now + timedelta(seconds=1)))
    assert state.status is RunStatus.FORCE_STOPPED
    assert not any(isinstance(c, RunAction) for c in commands)
    assert sum(isinstance(c, Finish) for c in commands) == 1
    assert not any(step.status is StepStatus.RUNNING for step in state.steps.values())


def in_a_row(plan: Plan) -> Plan:
    """The same steps one after the other: what waits makes room for nothing, so the order is given."""
    ids = plan.order
    steps = {
        step_id: replace(
            plan.steps[step_id], dependencies=ids[:n][-1:], dependents=ids[n + 1 :][:1], level=n, gated=False
        )
        for n, step_id in enumerate(ids)
    }
    return replace(plan, steps=steps, roots=ids[:1], timeout_seconds=None)


@MANY
@given(plan=plans(pivots=True, waits=False).map(in_a_row), seed=st.integers(0, 2**32), chance=st.floats(0.1, 0.8))
def test_a_breaker_that_opens_and_closes_changes_neither_the_end_nor_the_attempts_used(
    plan: Plan, seed: int, chance: float
) -> None:
    calm, parked = (_answered_by_number(plan, seed, breaker_open) for breaker_open in (0.0, chance))
    first, second = calm.run(), parked.run()
    assert (first.status, first.cause, first.held) == (second.status, second.cause, second.held)
    for step_id in plan.order:
        one, two = first.step(step_id), second.step(step_id)
        assert (one.status, one.undo, one.maybe, one.blocked) == (two.status, two.undo, two.maybe, two.blocked)
    assert [_of(command) for command, _ in calm.performed] == [_of(command) for command, _ in parked.performed]


def _of(command: RunAction) -> tuple[str, Purpose, int]:
    return command.step_id, command.purpose, command.iteration


def _answered_by_number(plan: Plan, seed: int, breaker_open: float) -> World:
    """The n-th time that an action is performed it is answered alike, whatever the number of its attempt."""
    performed = Counter[tuple[str, Purpose, int]]()

    def answer(command: RunAction) -> Outcome:
        performed[_of(command)] += 1
        return Random(f"{seed}{_of(command)}{performed[_of(command)]}").choice(OUTCOMES)

    return World(plan, answer, Random(seed), breaker_open=breaker_open)


@MANY
@given(plan=plans(pivots=True), random=seeds(), chance=st.floats(0.1, 0.8))
def test_what_a_breaker_holds_back_spends_no_attempt_and_leaves_no_run_stuck(
    plan: Plan, random: Random, chance: float
) -> None:
    run = World(plan, lambda _: random.choice(OUTCOMES), random, breaker_open=chance)
    state = run.run()
    assert state.status.is_end or state.held or state.status is RunStatus.NEEDS_ATTENTION
    used = Counter(_of(command) for command, _ in run.performed)
    for (step_id, purpose, _), count in used.items():
        step = plan.steps[step_id]
        forward = step.retry_count + len(plan.second_chances)
        most = forward if purpose is Purpose.FORWARD else step.compensation_retry_count
        assert count <= most + 1
    for _, commands, after in run.log:
        if after.aborting:
            assert not any(isinstance(c, RunAction) and c.purpose is Purpose.FORWARD for c in commands)

"""Thousands of schedules with workers that die, answers that come late or twice, and processes that begin anew."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from orchestration.core.enums import Cause, Outcome, Purpose, RunStatus, UndoStatus
from orchestration.core.saga.commands import RunAction
from orchestration.core.saga.plan import Plan
from orchestration.workers.memory.world import Faults
from tests.orchestration.core.saga_world import World
from tests.orchestration.core.strategies import OUTCOMES, plans, seeds
from tests.support.examples import examples

MANY = examples(400)
Key = tuple[str, Purpose, int]


@st.composite
def faults(draw: st.DrawFn) -> Faults:
    chances = st.sampled_from([0.0, 0.2, 0.5])
    return Faults(
        dies_before=draw(chances),
        dies_after=draw(chances),
        answers_late=draw(chances),
        told_twice=draw(chances),
        restarts=draw(chances),
    )


class Service:
    """Keeps one effect for each idempotency key, and gives an attempt the same answer however often it is asked."""

    def __init__(self, plan: Plan, random: Random) -> None:
        self.plan = plan
        self.random = random
        self.said: dict[RunAction, Outcome] = {}
        self.effects: Counter[Key] = Counter()

    def answer(self, command: RunAction) -> Outcome:
        if command not in self.said:
            again = (command.step_id, command.purpose, command.iteration) in self.effects
            self.said[command] = Outcome.SUCCEEDED if again else self.random.choice(OUTCOMES)
        waits = command.purpose is Purpose.FORWARD and self.plan.steps[command.step_id].finds_out
        if self.said[command] in (Outcome.SUCCEEDED, Outcome.UNKNOWN) and not waits:
            self.effects[command.step_id, command.purpose, command.iteration] = 1
        return self.said[command]


def lived(plan: Plan, random: Random, faulty: Faults) -> tuple[World, Service]:
    service = Service(plan, random)
    run = World(plan, service.answer, random, faults=faulty)
    run.run()
    return run, service


@MANY
@given(plan=plans(pivots=True), random=seeds(), faulty=faults())
def test_a_run_always_gets_to_an_end_or_to_a_person(plan: Plan, random: Random, faulty: Faults) -> None:
    run, _ = lived(plan, random, faulty)
    assert run.state.status.is_end or run.state.status in (RunStatus.HELD, RunStatus.NEEDS_ATTENTION)
    assert len(run.finished) == run.state.status.is_end


@MANY
@given(plan=plans(), random=seeds(), faulty=faults())
def test_what_a_rolled_back_run_did_is_undone(plan: Plan, random: Random, faulty: Faults) -> None:
    """The service's own books: every effect has its undo, and nothing was undone that was not done."""
    run, service = lived(plan, random, faulty)
    if run.state.status is not RunStatus.ROLLED_BACK:
        return
    for step_id, plan_step in plan.steps.items():
        if plan_step.has_undo and service.effects[step_id, Purpose.FORWARD, 1]:
            assert run.state.step(step_id).undo is UndoStatus.COMPENSATED
            assert service.effects[step_id, Purpose.UNDO, 1]


@MANY
@given(plan=plans(pivots=True), random=seeds(), faulty=faults())
def test_an_attempt_is_launched_once_whatever_becomes_of_its_worker(plan: Plan, random: Random, faulty: Faults) -> None:
    run, _ = lived(plan, random, faulty)
    assert max(Counter(run.launched).values(), default=1) == 1


@MANY
@given(plan=plans(pivots=True), random=seeds(), faulty=faults())
def test_only_a_lost_worker_makes_an_effect_be_tried_again(plan: Plan, random: Random, faulty: Faults) -> None:
    run, _ = lived(plan, random, faulty)
    tries = defaultdict[RunAction, list[int]](list)
    for command, number in run.performed:
        tries[command].append(number)
    for numbers in tries.values():
        assert numbers == sorted(set(numbers))  # each time taken up under a higher number: the engine can mark it
        assert len(numbers) == 1 or faulty.dies_after > 0


def one_by_one(plan: Plan) -> Plan:
    """The order is given. What stands at a gate or waits for its next try makes room for what does not depend on it."""
    chain = {step.level for step in plan.steps.values()} == set(range(len(plan.steps)))
    steps = {
        step_id: replace(step, gated=False, retry_count=step.retry_count if chain else 0)
        for step_id, step in plan.steps.items()
    }
    chances = plan.second_chances if chain else ()
    return replace(plan, steps=steps, max_parallel=1, timeout_seconds=None, second_chances=chances)


@MANY
@given(plan=plans(waits=False).map(one_by_one), seed=st.integers(0, 2**32), faulty=faults())
def test_faults_do_not_change_what_becomes_of_a_saga(plan: Plan, seed: int, faulty: Faults) -> None:
    """The same steps end in the same way with and without faults."""

    def answer(command: RunAction) -> Outcome:
        return Random(f"{seed}{command}").choice(OUTCOMES)

    calm = World(plan, answer, Random(seed))
    wild = World(plan, answer, Random(seed), faults=faulty)
    assert calm.run() == wild.run()


@MANY
@given(plan=plans(), random=seeds(), faulty=faults())
def test_a_deadline_is_kept_under_faults(plan: Plan, random: Random, faulty: Faults) -> None:
    run = World(plan, lambda _: Outcome.SUCCEEDED, random, faults=faulty)
    state = run.run()
    if state.cause is Cause.TIMED_OUT:
        assert plan.timeout_seconds is not None and state.status is RunStatus.ROLLED_BACK
    else:
        assert state.status is RunStatus.COMPLETED

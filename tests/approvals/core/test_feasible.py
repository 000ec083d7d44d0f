"""What is refused when it is asked is what would need an administrator at once, and nothing else."""

from __future__ import annotations

from hypothesis import given

from approvals.core.approval.events import Opened, Voted
from approvals.core.approval.feasibility import short_of, too_few_for_all
from approvals.core.approval.flow import decide
from approvals.core.approval.outcome import Tell
from approvals.core.approval.plan import Level, Plan, StagePlan
from approvals.core.approval.state import State
from approvals.core.enums import Authority, Choice, Status, Telling
from approvals.core.policy.hours import Span
from tests.approvals.core.strategies import START, plans


def hopeless(plan: Plan) -> bool:
    return any(short_of(plan, stage) for stage in plan.stages) or too_few_for_all(plan)


@given(plans)
def test_what_is_refused_would_be_stuck_and_what_would_be_stuck_is_refused(plan: Plan) -> None:
    state, _ = decide(plan, State(), Opened(at=START))
    assert state.status is (Status.RESCUE if hopeless(plan) else Status.PENDING)


def test_a_later_stage_may_count_on_its_escalation() -> None:
    bob, carol = frozenset({"bob"}), frozenset({"carol"})
    level = Level(after=Span(seconds=3600), people=carol, authority=Authority.TRANSFER)
    plan = Plan(stages=(StagePlan(name="first", people=bob), StagePlan(name="second", people=bob, levels=(level,))))
    first, _ = decide(plan, State(), Opened(at=START))
    second, said = decide(plan, first, Voted(at=START, person="bob", choice=Choice.APPROVE))
    assert first.status is second.status is Status.PENDING
    assert second.awaited == ("carol",) and Tell(why=Telling.ESCALATED, people=("carol",)) in said

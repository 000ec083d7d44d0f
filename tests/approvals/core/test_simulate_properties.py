"""A simulation is the flow itself; and the best case is as good as any way there is."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from approvals.core.approval.events import ClockReached, Delegated, Delivered, Opened, Voted
from approvals.core.approval.feasibility import can_pass
from approvals.core.approval.flow import decide
from approvals.core.approval.guards import refusal
from approvals.core.approval.plan import Level, Plan, StagePlan
from approvals.core.approval.state import State
from approvals.core.approval.timers import next_due
from approvals.core.enums import Authority, Choice, Mode, Status
from approvals.core.policy.hours import Span
from approvals.core.simulation.best_case import best_case
from approvals.core.simulation.replay import Past, replay, votes_of
from approvals.core.simulation.simulate import StandIn, simulate
from tests.approvals.core.strategies import PEOPLE, START, events_of, histories, people, plans
from tests.support.examples import examples

many = examples(60)
OPENED = Opened(at=START)


@many
@given(plans, histories)
def test_a_simulation_is_what_the_flow_decides(plan: Plan, history: list) -> None:  # type: ignore[type-arg]
    course = simulate(plan, events_of(history))
    state = State()
    for moment in course.moments:
        assert moment.before == state and (moment.after, moment.commands) == decide(plan, state, moment.event)
        state = moment.after
    times = [moment.at for moment in course.moments]
    assert times == sorted(times) and course.state == state
    assert next_due(plan, state) is None


@many
@given(plans)
def test_without_people_only_clocks_and_the_opening_make_it_go_on(plan: Plan) -> None:
    course = simulate(plan, [OPENED])
    assert course.moments[0].event == OPENED and not course.state.votes
    assert all(isinstance(moment.event, ClockReached | Delivered) for moment in course.moments[1:])


@many
@given(plans)
def test_where_everybody_is_deaf_nothing_is_approved_by_silence(plan: Plan) -> None:
    course = simulate(plan, [OPENED], unreachable=frozenset(PEOPLE))
    assert course.state.status is not Status.APPROVED and not course.state.silent
    assert not any(isinstance(moment.event, Delivered) for moment in course.moments)


@many
@given(plans)
def test_what_the_solver_thinks_can_pass_does_when_everybody_says_yes(plan: Plan) -> None:
    """Where levels in working and in wall time are mixed, the solver counts each order: it may hope too much."""
    opened, _ = decide(plan, State(), OPENED)
    approved = best_case(plan, OPENED).state.status is Status.APPROVED
    mixed = any(len({level.after.business for level in stage.levels}) > 1 for stage in plan.stages)
    assert approved == can_pass(plan, opened) or (mixed and not approved)


few = st.frozensets(st.sampled_from("abc"), min_size=1, max_size=3)
small_levels = st.builds(Level, after=st.just(Span(seconds=60.0)), authority=st.sampled_from(Authority), people=few)
small_stages = st.builds(
    StagePlan, name=st.just("s"), people=few, mode=st.sampled_from([Mode.ANY, Mode.ALL, Mode.N]),
    number=st.just(2), levels=st.lists(small_levels, max_size=1).map(tuple),
    expires=st.just(Span(seconds=3600.0)),
)  # fmt: skip
small_plans = st.builds(
    Plan, stages=st.lists(small_stages, min_size=1, max_size=2).map(tuple),
    barred=st.frozensets(st.sampled_from("abc"), max_size=1),
)  # fmt: skip
away = st.frozensets(st.sampled_from("abc"), max_size=2)


def some_way_passes(plan: Plan, state: State, silent: frozenset[str]) -> bool:
    """Every order in which those who are there may say yes, now or after a clock."""
    if state.status.is_end:
        return state.status is Status.APPROVED
    at = max([vote.at for vote in state.votes] + [state.opened_at or START])
    due = next_due(plan, state)
    for person in sorted(set(state.awaited) - silent):
        vote = Voted(at=at, person=person, choice=Choice.APPROVE)
        if not refusal(plan, state, vote) and some_way_passes(plan, decide(plan, state, vote)[0], silent):
            return True
    return due is not None and some_way_passes(plan, decide(plan, state, ClockReached(at=due.at))[0], silent)


@many
@given(small_plans, away)
def test_no_way_is_better_than_the_best_case(plan: Plan, silent: frozenset[str]) -> None:
    best = best_case(plan, OPENED, silent=silent)
    assert not {vote.person for vote in best.state.votes} & silent
    opened, _ = decide(plan, State(), OPENED)
    assert (best.state.status is Status.APPROVED) == some_way_passes(plan, opened, silent)


@many
@given(plans, people, people)
def test_a_stand_in_decides_where_the_owner_could(plan: Plan, owner: str, to: str) -> None:
    rule = StandIn(owner=owner, to=to, starts=START, ends=START + timedelta(days=1))
    vote = Voted(at=START, person=to, choice=Choice.APPROVE)
    course = simulate(plan, [OPENED, vote], stand_ins=[rule])
    for spoken in course.state.votes:
        assert spoken.person == to and spoken.owner in (owner, to)
    before = simulate(plan, [OPENED], stand_ins=[rule]).moments[0].after
    if not before.seat_of(to) and not refusal(plan, before, Delegated(at=START, person=owner, to=to)):
        assert [spoken.owner for spoken in course.state.votes] == [owner]


@many
@given(plans, histories)
def test_a_past_under_its_own_plan_ends_as_it_did(plan: Plan, history: list) -> None:  # type: ignore[type-arg]
    """Votes and clocks alone: nothing that only administrators or the content do."""
    events = [event for event in events_of(history) if isinstance(event, Voted)]
    course = simulate(plan, [OPENED, *events])
    if not course.state.status.is_end:
        return
    ended_at = course.moments[-1].at
    past = Past(opened_at=START, happened=tuple(votes_of(course.state)), status=course.state.status, ended_at=ended_at)
    would = replay(past, plan)
    assert (would.status, would.ended_at, would.differs, would.uncounted) == (past.status, ended_at, False, ())


def test_whoever_a_later_escalation_needs_is_left_to_it() -> None:
    hand_over = Level(after=Span(seconds=60.0), authority=Authority.TRANSFER, people=frozenset("a"))
    first = StagePlan(name="first", people=frozenset("ab"), mode=Mode.ANY, expires=Span(seconds=3600.0))
    second = StagePlan(
        name="second", people=frozenset("c"), mode=Mode.N, number=2, levels=(hand_over,), expires=Span(seconds=3600.0)
    )
    course = best_case(Plan(stages=(first, second)), OPENED)
    assert course.state.status is Status.APPROVED and [vote.person for vote in course.state.votes] == ["b", "a"]

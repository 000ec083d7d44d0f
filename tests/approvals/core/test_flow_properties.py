"""What holds for every chain, whatever happens to it in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from approvals.core.approval.events import (
    EVENT,
    ClockReached,
    ContentChanged,
    Event,
    PeopleLeft,
    PeopleNamed,
    Revoked,
    Voted,
)
from approvals.core.approval.feasibility import can_pass
from approvals.core.approval.flow import decide
from approvals.core.approval.guards import refusal
from approvals.core.approval.outcome import Finish
from approvals.core.approval.plan import PLAN, Plan
from approvals.core.approval.quorum import is_matched, passes
from approvals.core.approval.state import STATE, Seat, State
from approvals.core.approval.timers import expires_at, next_due
from approvals.core.enums import AtTheEnd, Choice, Status
from approvals.core.policy.hours import due
from tests.approvals.core.strategies import PEOPLE, events_of, histories, plans
from tests.support.examples import examples

many = examples(120)


def run(plan: Plan, events: list[Event]) -> list[State]:
    states = [State()]
    for event in events:
        after, commands = decide(plan, states[-1], event)
        assert (after is states[-1]) <= (commands == ())
        states.append(after)
    return states


@many
@given(plans, histories)
def test_it_ends_once(plan: Plan, history: list) -> None:  # type: ignore[type-arg]
    finished: list[Status] = []
    state = State()
    for event in events_of(history):
        before = state
        state, commands = decide(plan, state, event)
        finished += [command.status for command in commands if isinstance(command, Finish)]
        if before.status.is_end:
            taken_back = before.status is Status.APPROVED and isinstance(event, Revoked | ContentChanged)
            assert state is before or taken_back
    assert all(status is Status.APPROVED for status in finished[:-1]), "only a yes can be followed by another end"
    assert finished[-1:] == [state.status] or not state.status.is_end


@many
@given(plans, histories)
def test_nobody_who_is_barred_ever_votes_or_is_asked(plan: Plan, history: list) -> None:  # type: ignore[type-arg]
    for state in run(plan, events_of(history)):
        assert not {vote.person for vote in state.votes} & plan.barred
        assert not {seat.person for seat in state.seats} & plan.barred


@many
@given(plans, histories)
def test_one_vote_for_each_person_and_round(plan: Plan, history: list) -> None:  # type: ignore[type-arg]
    votes = run(plan, events_of(history))[-1].votes
    assert len({(vote.person, vote.round) for vote in votes}) == len(votes)


@many
@given(plans, histories)
def test_a_stage_is_left_by_approvals_alone(plan: Plan, history: list) -> None:  # type: ignore[type-arg]
    """The next stage opens, and the request is approved, exactly when the approvals fill the slots of the open one."""
    state = State()
    for event in events_of(history):
        before, (state, _) = state, decide(plan, state, event)
        forward = state.round == before.round and (state.stage > before.stage or _newly_approved(before, state))
        if forward and isinstance(event, PeopleLeft | PeopleNamed):
            assert passes(plan, replace(before, seats=_seats_after(plan, before, event)))
            continue
        if not forward:
            continue
        assert state.stage <= before.stage + 1 and (state.stage > before.stage or state.stage + 1 == len(plan.stages))
        if not isinstance(event, Voted):
            by_silence = isinstance(event, ClockReached) and plan.stages[before.stage].at_the_end is AtTheEnd.APPROVE
            assert by_silence or before.status is Status.COOLING_OFF
            continue
        assert event.choice in (Choice.APPROVE, Choice.ABSTAIN)
        with_vote = State(
            status=before.status, round=before.round, stage=before.stage, seats=before.seats, votes=state.votes
        )
        assert passes(plan, with_vote)


def _seats_after(plan: Plan, before: State, event: PeopleLeft | PeopleNamed) -> tuple[Seat, ...]:
    if isinstance(event, PeopleLeft):
        return before.without(event.people)
    return tuple(Seat(person=person, owner=person, own=False) for person in sorted(event.people - plan.barred))


def _newly_approved(before: State, after: State) -> bool:
    yes = (Status.APPROVED, Status.COOLING_OFF)
    return after.status in yes and before.status not in yes


@many
@given(plans, histories)
def test_no_open_request_is_stuck(plan: Plan, history: list) -> None:  # type: ignore[type-arg]
    """Somebody may decide, or a clock runs, or the requester or an administrator is asked."""
    for state in run(plan, events_of(history))[1:]:
        if state.status is Status.PENDING:
            assert can_pass(plan, state) and state.awaited
            assert not passes(plan, state), "enough have said yes, and it did not go on"
        elif state.status is Status.COOLING_OFF:
            assert next_due(plan, state)
        elif state.status is Status.RESCUE and set(PEOPLE) - plan.barred:
            somebody = frozenset(set(PEOPLE) - plan.barred)
            assert refusal(plan, state, PeopleNamed(at=state.opened_at, people=somebody)) == ""  # type: ignore[arg-type]


@many
@given(plans, histories)
def test_what_enough_have_said_yes_to_waits_for_nobody(plan: Plan, history: list) -> None:  # type: ignore[type-arg]
    """Also where others sit now, who had said yes before."""
    for state in run(plan, events_of(history)):
        assert state.status is not Status.PENDING or not passes(plan, state)


@many
@given(plans, histories, st.data())
def test_it_can_be_stored_and_read_at_any_moment(plan: Plan, history: list, data: st.DataObject) -> None:  # type: ignore[type-arg]
    events = events_of(history)
    cut = data.draw(st.integers(0, len(events)))
    whole = run(plan, events)[-1]
    state = STATE.validate_json(STATE.dump_json(run(plan, events[:cut])[-1]))
    plan = PLAN.validate_json(PLAN.dump_json(plan))
    for event in events[cut:]:
        state, _ = decide(plan, state, EVENT.validate_json(EVENT.dump_json(event)))
    assert state == whole


@many
@given(plans, histories)
def test_a_clock_that_rings_late_or_often_ends_the_same(plan: Plan, history: list) -> None:  # type: ignore[type-arg]
    state = run(plan, events_of(history))[-1]
    while (one := next_due(plan, state)) and not state.status.is_end:
        prompt, _ = decide(plan, state, ClockReached(at=one.at))
        assert prompt is not state, "a clock that is due does something"
        again, commands = decide(plan, prompt, ClockReached(at=one.at))
        assert again is prompt and commands == ()
        early, _ = decide(plan, state, ClockReached(at=one.at - timedelta(seconds=1)))
        assert early is state
        state = prompt


@many
@given(plans, histories)
def test_a_request_for_changes_never_ends_at_once(plan: Plan, history: list) -> None:  # type: ignore[type-arg]
    """Whoever asked has what was left of a clock that ran, and the stage's whole time where none did."""
    state = State()
    for event in events_of(history):
        before, (state, _) = state, decide(plan, state, event)
        if state.status is not Status.CHANGES_REQUESTED or before.status is Status.CHANGES_REQUESTED:
            continue
        end, stage = expires_at(plan, state), plan.stages[state.stage]
        if before.status is Status.RESCUE:
            ends = [due(event.at, span, plan.hours) for span in (stage.expires, stage.latest) if span]
            assert end == min(ends, default=None)
        else:
            assert end == expires_at(plan, before)


@many
@given(st.lists(st.frozensets(st.sampled_from(PEOPLE)), max_size=4), st.frozensets(st.sampled_from(PEOPLE)))
def test_matching_is_halls_theorem(slots: list[frozenset[str]], people: frozenset[str]) -> None:
    hall = all(
        len(frozenset().union(*some) & people) >= len(some)
        for size in range(1, len(slots) + 1)
        for some in combinations(slots, size)
    )
    assert is_matched(slots, people) == hall

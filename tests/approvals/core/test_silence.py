"""Silence is a yes only of those who had heard, for the whole time. What was lost while we were away is given back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.core.approval.events import (
    ClockReached,
    ContentChanged,
    Delegated,
    Delivered,
    Event,
    Opened,
    PeopleLeft,
    PeopleNamed,
    Resumed,
    Voted,
)
from approvals.core.approval.flow import decide
from approvals.core.approval.outcome import Tell
from approvals.core.approval.plan import Level, Plan, StagePlan
from approvals.core.approval.quorum import abstained, is_matched, slots_of
from approvals.core.approval.state import STATE, State
from approvals.core.approval.timers import asked_until, expires_at, next_due
from approvals.core.enums import AtTheEnd, Authority, Choice, Mode, Status, Telling
from approvals.core.policy.hours import Hours, Span, due, worked
from tests.approvals.core.strategies import events_of, histories, plans
from tests.support.examples import examples

T0 = datetime(2026, 11, 26, 12, tzinfo=UTC)
MINUTE = 60.0
many = examples(300)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def plan(people: str = "b", **stage: Any) -> Plan:
    given: dict[str, Any] = {"expires": Span(seconds=MINUTE), "at_the_end": AtTheEnd.APPROVE, **stage}
    return Plan(stages=(StagePlan(name="s", people=frozenset(people), **given),))


def after(chain: Plan, *events: Event) -> State:
    state = State()
    for event in (Opened(at=T0), *events):
        state, _ = decide(chain, state, event)
    return state


def heard(person: str, seconds: float = 0) -> Delivered:
    return Delivered(at=at(seconds), person=person)


def rings(seconds: float) -> ClockReached:
    return ClockReached(at=at(seconds))


def test_nobody_was_reached() -> None:
    chain = plan()
    state, commands = decide(chain, after(chain), rings(60))
    assert (state.status, state.last_words) == (Status.RESCUE, "nobody was reached")
    assert commands == (Tell(why=Telling.RESCUE),) and next_due(chain, state) is None, "it waits for an administrator"


def test_silence_counts_from_when_they_heard() -> None:
    chain = plan()
    told = after(chain, heard("b", 40))
    assert expires_at(chain, told) == at(100)
    assert decide(chain, told, rings(99))[0] is told
    done, _ = decide(chain, told, rings(100))
    assert (done.status, done.last_words, done.silent) == (Status.APPROVED, "by silence, as the policy says", (0,))


@pytest.mark.parametrize(
    ("stage", "who", "enough"),
    [
        ({"people": "bcd"}, "c", True), ({"people": "bc", "mode": Mode.ALL}, "b", False),
        ({"people": "bc", "mode": Mode.ALL}, "bc", True), ({"people": "bcd", "mode": Mode.N, "number": 2}, "b", False),
        ({"people": "bcd", "mode": Mode.N, "number": 2}, "bd", True),
        ({"people": "bcd", "mode": Mode.PERCENT, "percent": 60}, "b", False),
        ({"people": "bcd", "mode": Mode.PERCENT, "percent": 60}, "bc", True),
        ({"people": "bc", "mode": Mode.GROUPS, "groups": {"x": frozenset("b"), "y": frozenset("c")},
          "minima": {"x": 1, "y": 1}}, "b", False),
    ],
)  # fmt: skip
def test_as_many_as_are_needed_have_to_have_heard(stage: dict[str, Any], who: str, enough: bool) -> None:
    state = after(plan(**stage), *(heard(person) for person in who), rings(60))
    assert state.status is (Status.APPROVED if enough else Status.RESCUE)
    assert enough or state.last_words == "too few of those who decide were reached"


def test_a_channel_is_nobody_who_was_reached() -> None:
    assert after(plan(), heard(""), rings(60)).last_words == "nobody was reached"


def test_the_last_one_who_is_needed_begins_it() -> None:
    chain = plan("bc", mode=Mode.ALL)
    assert expires_at(chain, after(chain, heard("b", 5), heard("c", 50))) == at(110)
    assert expires_at(chain, after(chain, heard("b", 5), Voted(at=at(50), person="c", choice=Choice.APPROVE))) == at(
        110
    )


def test_a_yes_of_one_and_the_silence_of_one_who_never_heard_is_no_yes() -> None:
    chain = plan("bc", mode=Mode.ALL)
    state = after(chain, Voted(at=at(1), person="b", choice=Choice.APPROVE), rings(60))
    assert state.last_words == "too few of those who decide were reached"


def test_whoever_abstained_was_not_silent() -> None:
    state = after(plan("bc"), heard("b"), Voted(at=at(1), person="b", choice=Choice.ABSTAIN), rings(60))
    assert state.status is Status.RESCUE


def test_a_seat_that_goes_to_somebody_else_has_to_be_heard_of_again() -> None:
    chain = plan()
    given = after(chain, heard("b", 0), Delegated(at=at(30), person="b", to="d"))
    assert decide(chain, given, rings(60))[0].status is Status.RESCUE
    assert expires_at(chain, decide(chain, given, heard("d", 31))[0]) == at(91)


def test_it_goes_on_as_soon_as_they_are_reached_after_all() -> None:
    chain = plan()
    late = after(chain, rings(60), heard("b", 70))
    assert (late.status, late.unheard, late.last_words) == (Status.PENDING, False, "")
    assert expires_at(chain, late) == at(130) and decide(chain, late, rings(130))[0].status is Status.APPROVED


def test_those_who_are_named_instead_have_to_hear_of_it_too() -> None:
    chain = plan()
    named = after(chain, rings(60), PeopleNamed(at=at(100), people=frozenset("e")))
    assert (named.status, expires_at(chain, named)) == (Status.PENDING, at(160))
    assert decide(chain, named, rings(160))[0].last_words == "nobody was reached"


@pytest.mark.parametrize("again", [ContentChanged(at=at(30)), PeopleNamed(at=at(30), people=frozenset("b"))])
def test_what_was_told_before_is_not_what_is_asked_now(again: Event) -> None:
    chain = plan()
    state = after(chain, heard("b", 1), again)
    old = Delivered(at=at(40), person="b", of=1)
    assert not decide(chain, state, old)[0].heard, "an old message that arrives late"
    new = decide(chain, state, Delivered(at=at(40), person="b", of=state.version))[0]
    assert expires_at(chain, new) == at(100)


def test_a_message_of_the_stage_before_says_nothing_of_this_one() -> None:
    first = StagePlan(name="one", people=frozenset("a"))
    chain = Plan(stages=(first, replace(plan("b").stages[0], name="two")))
    chain = replace(chain, stages=(replace(first, people=frozenset("ab")), chain.stages[1]))
    state = after(chain, Voted(at=at(5), person="a", choice=Choice.APPROVE))
    assert state.stage == 1 and not decide(chain, state, Delivered(at=at(6), person="b", of=1))[0].heard


def test_the_latest_end_is_counted_from_hearing_too() -> None:
    chain = plan(expires=Span(seconds=3600), latest=Span(seconds=MINUTE))
    assert expires_at(chain, after(chain, heard("b", 30))) == at(90)


def test_where_silence_is_a_no_nobody_counts_them() -> None:
    chain = plan(at_the_end=AtTheEnd.REJECT)
    told = after(chain, heard("b", 30))
    assert not told.heard and decide(chain, told, rings(60))[0].status is Status.EXPIRED


def test_a_stored_state_of_before_can_be_read() -> None:
    chain = plan()
    new = {"opened_in", "heard", "silent", "unheard", "away"}
    stored = {key: value for key, value in STATE.dump_python(after(chain), mode="json").items() if key not in new}
    assert STATE.validate_python(stored) == replace(after(chain), opened_in=0)
    known = decide(chain, STATE.validate_python(stored), Delivered(at=at(3), person="b", of=1))[0]
    assert expires_at(chain, known) == at(63)


def test_asked_until() -> None:
    chain = plan(expires=Span(seconds=900), levels=(
        Level(after=Span(seconds=300), authority=Authority.TRANSFER, people=frozenset("c")),
    ))  # fmt: skip
    assert asked_until(chain, after(chain)) == at(300), "then it is taken from them"
    assert asked_until(chain, after(chain, rings(300))) == at(900)
    assert asked_until(plan(expires=None, at_the_end=AtTheEnd.HOLD), after(plan())) is None


# What was lost while the site was away.


def back(since: float, until: float) -> Resumed:
    return Resumed(at=at(until), since=at(since), until=at(until))


@pytest.mark.parametrize("end", AtTheEnd)
def test_a_stage_gets_its_remaining_time_anew(end: AtTheEnd) -> None:
    chain = plan(at_the_end=end)
    state = after(chain, heard("b"), back(20, 500))
    assert expires_at(chain, state) == at(540), "forty seconds were left"
    assert decide(chain, state, rings(539))[0] is state


def test_it_gets_each_time_away_back_once() -> None:
    chain = plan()
    state = after(chain, heard("b"), back(20, 500), back(20, 500))
    assert expires_at(chain, state) == at(540), "told again of the same"
    state = after(chain, heard("b"), back(20, 500), back(510, 900), back(505, 800))
    assert expires_at(chain, state) == at(930), "thirty seconds were left at 510; what overlaps counts once"
    assert expires_at(chain, after(chain, heard("b"), back(20, 500), back(600, 900))) == at(540), "it was over before"


def test_of_a_stop_that_lasts_over_a_ring_the_rest_is_given_back_too() -> None:
    """Somebody reminds while the site is away, and again: silence would be a yes after 20 of 60 seconds."""
    chain = plan()
    state = after(chain, heard("b"), back(20, 61), rings(61), back(20, 101), rings(101))
    assert state.status is Status.PENDING and expires_at(chain, state) == at(141)
    assert state.absences == ((at(20), at(101)),)
    state = after(chain, heard("b"), back(20, 61), rings(61), back(20, 99), rings(100))
    assert expires_at(chain, state) == at(139), "it ended before the new deadline"


def test_many_pieces_of_one_stop_are_one_stop() -> None:
    chain = plan()
    pieces = [back(20, 30 + number) for number in range(500)]
    state = after(chain, heard("b"), *pieces)
    assert expires_at(chain, state) == at(569) and len(state.absences) == 1


@many
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 500), st.lists(st.integers(1, 500), max_size=4)), max_size=4),
    st.booleans(),
)
def test_a_stop_in_pieces_gives_back_what_it_would_have_given_whole(
    stops: list[tuple[int, int, list[int]]], cooling: bool
) -> None:
    chain = replace(plan(), cooling_off_seconds=90.0)
    begin: list[Event] = [heard("b", 0), *([Voted(at=at(0), person="b", choice=Choice.APPROVE)] if cooling else [])]
    clock, whole, pieces = 0, list[Resumed](), list[Resumed | ClockReached]()
    for run, gone, cuts in stops:
        clock += run
        for cut in sorted({min(one, gone) for one in cuts} | {gone}):
            pieces += [back(clock, clock + cut), rings(clock + cut)]
        whole.append(back(clock, clock + gone))
        clock += gone
    ended = [event for one in whole for event in (one, rings((one.until - at(0)).total_seconds()))]
    one, other = after(chain, *begin, *ended), after(chain, *begin, *pieces)
    assert (one.status, one.settles_at, expires_at(chain, one)) == (
        other.status, other.settles_at, expires_at(chain, other)
    )  # fmt: skip


def test_a_short_stop_does_not_use_up_what_a_long_one_takes() -> None:
    """Silence would be a yes though the site was there for 16 of the 60 seconds."""
    chain = plan()
    state = after(chain, heard("b"), back(2, 4), back(18, 5000), rings(5000))
    assert state.status is Status.PENDING and expires_at(chain, state) == at(5044)


@many
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 500)), max_size=6))
def test_a_stage_is_open_for_its_whole_time_besides_all_times_away(stops: list[tuple[int, int]]) -> None:
    chain, there, clock, events = plan(), 0, 0, []
    for run, gone in stops:
        clock, there = clock + run, there + run
        events.append(back(clock, clock + gone))
        clock += gone
    end = expires_at(chain, after(chain, heard("b", 0), *events))
    over, clock = 60, 0
    for run, gone in stops:
        if clock + run < over:
            over += gone
        clock += run + gone
    assert end == at(over)


def test_away_before_it_was_told_of_it_has_its_whole_time() -> None:
    """Stopped before the first mail, started after the deadline: it is neither decided nor held at once."""
    chain = plan()
    state = after(chain, back(1, 1000), rings(1000))
    assert state.status is Status.PENDING and expires_at(chain, state) == at(1059)
    told = decide(chain, state, heard("b", 1002))[0]
    assert expires_at(chain, told) == at(1062)


def test_people_hear_of_the_new_deadline() -> None:
    chain = plan()
    _, commands = decide(chain, after(chain), back(20, 500))
    assert commands == (Tell(why=Telling.REMINDER, people=("b",)),)


def test_a_time_away_that_took_nothing_changes_nothing() -> None:
    chain = plan()
    opened = after(chain)
    for nothing in (back(-500, -100), back(70, 60)):
        assert decide(chain, opened, nothing)[0] is opened
    assert after(chain, back(200, 300)) == opened, "it was over before"


def test_reminders_and_levels_wait_as_long() -> None:
    chain = plan(expires=Span(seconds=900), reminders=(Span(seconds=100), Span(seconds=300)))
    state = after(chain, rings(100), back(200, 5000))
    due_next = next_due(chain, state)
    assert due_next is not None and (due_next.at, due_next.hand) == (at(5100), "remind")


def test_objections_get_their_time_back() -> None:
    chain = replace(plan(), cooling_off_seconds=600.0)
    yes = Voted(at=at(10), person="b", choice=Choice.APPROVE)
    state = after(chain, yes, back(110, 4000))
    assert state.status is Status.COOLING_OFF and state.settles_at == at(4500)


def test_a_stage_that_opens_later_has_its_own() -> None:
    chain = Plan(stages=(plan().stages[0], replace(plan("c").stages[0], name="two")))
    state = after(chain, heard("b"), back(20, 500), rings(540), Delivered(at=at(540), person="c"), back(550, 900))
    assert state.stage == 1 and expires_at(chain, state) == at(950)


@given(
    st.integers(0, 400_000), st.integers(1, 200_000), st.integers(0, 400_000), st.integers(1, 300_000), st.booleans()
)
def test_what_was_left_is_exactly_what_is_given_back(
    start: int, span: int, since: int, gone: int, business: bool
) -> None:
    hours, length = Hours(zone="Europe/Berlin"), Span(seconds=float(span), business=business)
    chain = replace(plan(expires=length, at_the_end=AtTheEnd.REJECT), hours=hours)
    opened = at(start)
    state, _ = decide(chain, State(), Opened(at=opened))
    away = Resumed(at=at(since + gone), since=at(since), until=at(since + gone))
    end, before = expires_at(chain, decide(chain, state, away)[0]), due(opened, length, hours)
    assert end is not None and end >= before
    if before <= away.since or opened >= away.until:
        assert end == before
    else:
        done = worked(opened, away.since, length, hours) + worked(away.until, end, length, hours)
        lost = worked(max(opened, away.until), away.until, length, hours)
        assert abs(done + lost - span) < 1e-3 or end == before


# For every chain, whatever happens.


@many
@given(plans, histories)
def test_nothing_is_approved_by_silence_unless_enough_had_heard_for_the_whole_time(plan: Plan, history: list) -> None:  # type: ignore[type-arg]
    """Told apart from the flow: by the deliveries since the stage was opened, and the length of its end."""
    state, reached = State(), dict[str, datetime]()
    events = events_of(history)
    for event in [*events, *(ClockReached(at=events[-1].at + timedelta(hours=n)) for n in (1, 50, 2000))]:
        before, (state, _) = state, decide(plan, state, event)
        if (
            isinstance(event, Delivered)
            and event.person in before.awaited
            and event.at >= (before.opened_at or event.at)
        ):
            reached.setdefault(event.person, event.at)
        if isinstance(event, ClockReached):
            for number in state.silent[len(before.silent) if state.round == before.round else 0 :]:
                if number == before.stage:
                    _had_heard(plan, before, reached, event.at)
                else:
                    pytest.fail("a stage that had just been opened was passed by silence in the same moment")
        if (state.opened_at, state.stage, state.round) != (before.opened_at, before.stage, before.round) or isinstance(
            event, PeopleNamed | ContentChanged
        ):
            reached = {}


def _had_heard(plan: Plan, before: State, reached: dict[str, datetime], now: datetime) -> None:
    stage = plan.stages[before.stage]
    lengths = [span for span in (stage.expires, stage.latest) if span]

    def whole(moment: datetime) -> bool:
        return any(due(moment, span, plan.hours) <= now for span in lengths)

    here = [vote for vote in before.spoken if vote.stage == before.stage]
    said = {vote.person: vote.at for vote in here if vote.choice is Choice.APPROVE}
    silent = {person: when for person, when in reached.items() if person in before.awaited}
    found = {person for person, when in {**silent, **said}.items() if whole(when)}
    assert is_matched(slots_of(stage, before.seats, abstained(before)), found)


@many
@given(plans, histories)
def test_who_was_told_is_kept_for_each_stage_that_silence_passed(plan: Plan, history: list) -> None:  # type: ignore[type-arg]
    for state in _states(plan, events_of(history)):
        for number in state.silent:
            assert any(one.stage == number for one in state.heard) or any(vote.stage == number for vote in state.spoken)


def _states(plan: Plan, events: list[Event]) -> list[State]:
    states = [State()]
    for event in events:
        states.append(decide(plan, states[-1], event)[0])
    return states


def test_leaving_takes_their_ears_along() -> None:
    chain = plan("bc")
    state = after(chain, heard("b"), PeopleLeft(at=at(5), people=frozenset("b")))
    assert decide(chain, state, rings(60))[0].status is Status.RESCUE

"""People leave, are named, and ask for changes: what that does to the quorum and to silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from approvals.core.approval.events import (
    ClockReached,
    ContentChanged,
    Delegated,
    Delivered,
    Event,
    Opened,
    PeopleBack,
    PeopleLeft,
    PeopleNamed,
    Reminded,
    Voted,
)
from approvals.core.approval.flow import decide
from approvals.core.approval.guards import refusal
from approvals.core.approval.outcome import Finish, Tell
from approvals.core.approval.plan import Level, Plan, StagePlan
from approvals.core.approval.state import State
from approvals.core.approval.timers import NUDGE_PAUSE, Due, expires_at, next_due
from approvals.core.enums import AtTheEnd, Authority, Choice, Mode, Status, Telling
from approvals.core.policy.hours import Span
from tests.approvals.core.strategies import START


def stage(people: str, mode: Mode = Mode.ALL, **more: object) -> StagePlan:
    return StagePlan(name="s", people=frozenset(people), mode=mode, **more)  # type: ignore[arg-type]


def after(plan: Plan, *events: Event) -> State:
    state = State()
    for event in (Opened(at=START), *events):
        state, commands = decide(plan, state, event)
        assert any(isinstance(command, Finish) for command in commands) == state.status.is_end
    return state


def says(person: str, choice: Choice = Choice.APPROVE) -> Voted:
    return Voted(at=START, person=person, choice=choice)


def leave(people: str) -> PeopleLeft:
    return PeopleLeft(at=START, people=frozenset(people))


def test_those_who_stay_are_all_once_the_last_silent_one_has_left() -> None:
    assert after(Plan(stages=(stage("ab"),)), says("a"), leave("b")).status is Status.APPROVED


def test_nobody_left_is_no_approval() -> None:
    assert after(Plan(stages=(stage("ab"),)), leave("ab")).status is Status.RESCUE


def away(people: str, grace: float = 60.0) -> PeopleLeft:
    return PeopleLeft(at=START, people=frozenset(people), grace_seconds=grace)


def back(people: str, at: float = 30.0) -> PeopleBack:
    return PeopleBack(at=START + timedelta(seconds=at), people=frozenset(people))


def clock(at: float) -> ClockReached:
    return ClockReached(at=START + timedelta(seconds=at))


def test_who_comes_back_within_the_grace_finds_everything_as_it_was() -> None:
    plan = Plan(stages=(stage("ab", levels=(Level(after=Span(seconds=9e3), authority=Authority.TRANSFER,
                                                  people=frozenset("c")),)),))  # fmt: skip
    before, gone = after(plan), after(plan, away("ab"))
    assert (gone.status, gone.seats, gone.escalated) == (Status.PENDING, (), ())
    assert next_due(plan, gone) == Due(at=START + timedelta(seconds=60), hand="rescue")
    there = after(plan, away("ab"), clock(59), back("ba", 59.5), clock(61))
    assert replace(there, version=0) == replace(before, version=0)


def test_the_next_level_is_asked_and_at_last_an_administrator_when_the_grace_is_over() -> None:
    level = Level(after=Span(seconds=9e3), authority=Authority.ADD, people=frozenset("c"))
    assert after(Plan(stages=(stage("a", Mode.ANY, levels=(level,)),)), away("a"), clock(60)).awaited == ("c",)
    plan = Plan(stages=(stage("a"),))
    state, commands = decide(plan, after(plan, away("a")), clock(60))
    assert state.status is Status.RESCUE and commands == (Tell(why=Telling.RESCUE, together=True),)
    state, commands = decide(plan, state, back("a", 9e3))
    assert (state.status, state.awaited, state.last_words) == (Status.PENDING, ("a",), "")
    assert commands == (Tell(why=Telling.ASKED, people=("a",)),)


def test_what_was_handed_over_meanwhile_is_not_theirs_again() -> None:
    level = Level(after=Span(seconds=9e3), authority=Authority.TRANSFER, people=frozenset("c"))
    plan = Plan(stages=(stage("a", levels=(level,)),))
    assert after(plan, away("a"), clock(60), back("a", 90)).awaited == ("c",)
    named = PeopleNamed(at=START, people=frozenset("d"))
    assert after(Plan(stages=(stage("a"),)), leave("a"), named, back("a")).awaited == ("d",)


def test_nor_is_a_seat_of_an_earlier_stage_or_one_that_somebody_barred_left() -> None:
    plan = Plan(stages=(stage("ab", Mode.ANY), stage("c")))
    assert after(plan, away("b"), says("a"), back("b")).awaited == ("c",)
    barring = replace(plan, barred=frozenset("b"))
    state = after(plan, away("b"))
    assert decide(barring, state, back("b"))[0] is state


def test_a_seat_that_was_lent_comes_back_to_its_owner_alone() -> None:
    plan = Plan(stages=(stage("ab"),))
    lent = Delegated(at=START, person="a", to="c")
    assert set(after(plan, lent, away("ac"), back("c")).awaited) == {"b"}
    assert set(after(plan, lent, away("ac"), back("ac")).awaited) == {"a", "b"}


def test_a_no_while_others_are_waited_for_does_not_end_what_could_still_pass() -> None:
    plan = Plan(stages=(stage("abc", Mode.N, number=2, reject_on="impossible"),))
    state = after(plan, away("bc"), says("a", Choice.REJECT))
    assert state.status is Status.PENDING
    assert after(plan, away("bc"), says("a", Choice.REJECT), back("bc"), says("b"), says("c")).status is Status.APPROVED
    assert after(plan, away("bc"), says("a", Choice.REJECT), clock(60)).status is Status.RESCUE


def test_silence_is_no_yes_while_too_few_are_there() -> None:
    plan = Plan(stages=(stage("a", expires=Span(seconds=30.0), at_the_end=AtTheEnd.APPROVE),))
    told = Delivered(at=START, person="a")
    state = after(plan, told, away("a"), clock(30))
    assert (state.status, state.last_words) == (Status.EXPIRED, "nobody was named in time who may decide")
    assert after(plan, told, away("a"), back("a", 20), clock(30)).status is Status.APPROVED


def test_what_ran_out_without_a_decision_is_not_taken_up_by_a_return() -> None:
    plan = Plan(stages=(stage("ab", Mode.ANY, expires=Span(seconds=30.0), at_the_end=AtTheEnd.HOLD),))
    state = after(plan, away("a"), clock(30), back("a", 40))
    assert (state.status, state.last_words) == (Status.RESCUE, "nobody decided in time")
    assert set(state.awaited) == {"a", "b"}


def test_naming_only_those_who_have_said_yes_is_enough() -> None:
    named = PeopleNamed(at=START, people=frozenset("a"))
    assert after(Plan(stages=(stage("ab"),)), says("a"), named).status is Status.APPROVED


@pytest.mark.parametrize("word", [Choice.REQUEST_CHANGES, Choice.APPROVE])
def test_what_was_decided_stands_when_its_voter_leaves(word: Choice) -> None:
    plan = Plan(stages=(stage("a", Mode.ANY),), cooling_off_seconds=60.0)
    before = after(plan, says("a", word))
    assert after(plan, says("a", word), leave("a")).status is before.status


def test_a_seat_goes_back_to_its_owner_once() -> None:
    plan = Plan(stages=(stage("ab"),))
    given = Delegated(at=START, person="a", to="c")
    assert {(seat.person, seat.owner) for seat in after(plan, given, leave("c")).seats} == {("a", "a"), ("b", "b")}
    assert {seat.person for seat in after(plan, given, leave("ac")).seats} == {"b"}
    assert {seat.person for seat in after(plan, given, says("c"), leave("c")).seats} == {"b"}


def test_silence_after_asked_changes_is_no_yes() -> None:
    plan = Plan(stages=(stage("ab", expires=Span(seconds=60.0), at_the_end=AtTheEnd.APPROVE),))
    late = ClockReached(at=START + timedelta(seconds=61))
    told = [Delivered(at=START, person=person) for person in "ab"]
    assert after(plan, *told, late).status is Status.APPROVED
    state = after(plan, *told, says("a", Choice.REQUEST_CHANGES), late)
    assert (state.status, state.last_words) == (Status.EXPIRED, "the changes were not made in time")


def test_changes_asked_for_after_the_clock_ran_out_leave_the_stages_whole_time() -> None:
    """The administrator was needed for days; the requester is not the one who was late."""
    plan = Plan(stages=(stage("a", expires=Span(seconds=60.0), at_the_end=AtTheEnd.HOLD),))
    in_rescue = START + timedelta(days=3)
    held = after(plan, ClockReached(at=START + timedelta(seconds=61)))
    asked = after(
        plan, ClockReached(at=START + timedelta(seconds=61)),
        Voted(at=in_rescue, person="a", choice=Choice.REQUEST_CHANGES),
    )  # fmt: skip
    assert (held.status, asked.status) == (Status.RESCUE, Status.CHANGES_REQUESTED)
    assert (asked.last_words, expires_at(plan, asked)) == ("", in_rescue + timedelta(seconds=60))
    early, _ = decide(plan, asked, ClockReached(at=in_rescue + timedelta(seconds=59)))
    late, _ = decide(plan, asked, ClockReached(at=in_rescue + timedelta(seconds=60)))
    assert early is asked and late.status is Status.RESCUE, "and at its end the policy's rule holds again"
    again, _ = decide(plan, asked, ContentChanged(at=in_rescue + timedelta(seconds=30)))
    assert (again.status, expires_at(plan, again)) == (Status.PENDING, in_rescue + timedelta(seconds=90))


def test_changes_asked_for_in_time_stop_no_clock() -> None:
    plan = Plan(stages=(stage("a", expires=Span(seconds=60.0)),))
    asked = after(plan, Voted(at=START + timedelta(seconds=50), person="a", choice=Choice.REQUEST_CHANGES))
    assert expires_at(plan, asked) == START + timedelta(seconds=60)


def test_a_reminder_by_hand_changes_nothing_but_its_own_time() -> None:
    plan = Plan(stages=(stage("ab", expires=Span(seconds=60.0), reminders=(Span(seconds=9.0),)),))
    before = after(plan, says("a"))
    state, commands = decide(plan, before, Reminded(at=START + timedelta(seconds=5), by="ada"))
    assert commands == (Tell(why=Telling.REMINDER, people=("b",)),)
    assert replace(state, nudged_at=None, version=before.version) == before
    soon = Reminded(at=START + timedelta(seconds=5) + NUDGE_PAUSE - timedelta(seconds=1))
    assert decide(plan, state, soon)[0] is state and "a moment ago" in refusal(plan, state, soon)


def test_a_yes_that_cools_off_waits_for_nobody() -> None:
    state = after(Plan(stages=(stage("a", Mode.ANY),), cooling_off_seconds=60.0), says("a"))
    assert "no decision is outstanding" in refusal(Plan(stages=(stage("a"),)), state, Reminded(at=START))


def test_a_seat_cannot_go_to_one_who_is_needed_later() -> None:
    plan = Plan(stages=(stage("a"), stage("b")))
    given = Delegated(at=START, person="a", to="b")
    assert "needed for another stage" in refusal(plan, after(plan), given)


def test_an_escalation_to_one_who_is_needed_later_is_for_an_administrator() -> None:
    level = Level(after=Span(seconds=10.0), authority=Authority.TRANSFER, people=frozenset("b"))
    plan = Plan(stages=(stage("a", levels=(level,)), stage("b")))
    assert after(plan, ClockReached(at=START + timedelta(seconds=11))).status is Status.RESCUE


def handed_to_a(mode: Mode, **more: object) -> Plan:
    level = Level(after=Span(seconds=10.0), authority=Authority.TRANSFER, people=frozenset("a"))
    return Plan(stages=(stage("ab", mode, levels=(level,), **more), stage("c")))


def test_an_escalation_to_one_who_has_said_yes_passes_the_stage_by_that_yes() -> None:
    state = after(handed_to_a(Mode.ALL), says("a"), ClockReached(at=START + timedelta(seconds=11)))
    assert (state.status, state.awaited, state.silent) == (Status.PENDING, ("c",), ())


def test_so_does_one_at_once_because_too_few_are_left() -> None:
    groups = {"leads": frozenset("a"), "security": frozenset("b")}
    plan = handed_to_a(Mode.GROUPS, groups=groups, minima={"leads": 1, "security": 1})
    assert after(plan, says("a")).awaited == ("b",)
    assert after(plan, says("a"), leave("b")).awaited == ("c",)


def test_silence_passes_nothing_that_a_yes_has_passed() -> None:
    ends = {"latest": Span(seconds=10.0), "at_the_end": AtTheEnd.APPROVE}
    state = after(handed_to_a(Mode.ALL, **ends), says("a"), ClockReached(at=START + timedelta(seconds=11)))
    assert (state.awaited, state.silent) == (("c",), ())

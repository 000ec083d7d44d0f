"""Clocks that meet each other: silence, levels in two kinds of time, two ends, messages that arrive late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from approvals.core.approval.events import ClockReached, Delivered, Event, Opened, PeopleLeft, Voted
from approvals.core.approval.flow import decide
from approvals.core.approval.plan import Level, Plan, StagePlan
from approvals.core.approval.quorum import is_matched, matching
from approvals.core.approval.state import State
from approvals.core.approval.timers import expires_at, next_due
from approvals.core.enums import AtTheEnd, Authority, Choice, Status
from approvals.core.policy.hours import Span

FRIDAY = datetime(2026, 11, 27, 16, 0, tzinfo=UTC)
HOUR = 3600.0


def plan(*stages: dict[str, Any]) -> Plan:
    made = [{"name": f"s{n}", "people": frozenset({f"p{n}"}), **stage} for n, stage in enumerate(stages)]
    return Plan(stages=tuple(StagePlan(**stage) for stage in made))


def after(chain: Plan, *events: Event) -> State:
    state = State()
    for event in events:
        state, _ = decide(chain, state, event)
    return state


def level(seconds: float, who: str, *, business: bool = False) -> Level:
    span = Span(seconds=seconds, business=business)
    return Level(after=span, people=frozenset({who}), authority=Authority.ADD)


def test_silence_passes_its_own_stage_and_none_of_the_later_ones() -> None:
    chain = plan({"expires": Span(seconds=HOUR), "at_the_end": AtTheEnd.APPROVE}, {"expires": Span(seconds=HOUR)})
    late = FRIDAY + timedelta(hours=5)
    state = after(chain, Opened(at=FRIDAY), Delivered(at=FRIDAY, person="p0"), ClockReached(at=late))
    assert (state.status, state.stage, state.awaited, state.opened_at) == (Status.PENDING, 1, ("p1",), late)
    ended, _ = decide(chain, state, ClockReached(at=late + timedelta(hours=1)))
    assert ended.status is Status.EXPIRED


def test_levels_in_two_kinds_of_time_are_asked_as_they_come_due() -> None:
    """From a Friday at four: eight working hours end on Monday, twenty-four hours on Saturday."""
    levels = (level(8 * HOUR, "working", business=True), level(24 * HOUR, "wall"))
    chain = plan({"levels": levels})
    opened = after(chain, Opened(at=FRIDAY))
    due = next_due(chain, opened)
    assert due is not None and due.at == FRIDAY + timedelta(days=1)
    saturday = after(chain, Opened(at=FRIDAY), ClockReached(at=due.at))
    assert (saturday.escalated, saturday.awaited) == ((1,), ("p0", "wall"))
    monday = next_due(chain, saturday)
    assert monday is not None and monday.at == datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
    both, _ = decide(chain, saturday, ClockReached(at=monday.at))
    assert (both.escalated, both.awaited) == ((1, 0), ("p0", "wall", "working")) and next_due(chain, both) is None


@pytest.mark.parametrize(
    ("latest", "end"),
    [(24, datetime(2026, 11, 28, 16, tzinfo=UTC)), (200, datetime(2026, 11, 30, 10, tzinfo=UTC))],
)
def test_the_sooner_of_two_ends_counts(latest: int, end: datetime) -> None:
    expires = Span(seconds=2 * HOUR, business=True)  # an hour on Friday, and one on Monday
    chain = plan({"expires": expires, "latest": Span(seconds=latest * HOUR)})
    assert expires_at(chain, after(chain, Opened(at=FRIDAY))) == end


def test_what_was_sent_for_an_earlier_stage_begins_no_clock() -> None:
    waits = {"clock_starts": "delivered", "expires": Span(seconds=HOUR)}
    chain = plan(waits, waits)
    moment = FRIDAY + timedelta(hours=2)
    second = after(chain, Opened(at=FRIDAY), Voted(at=moment, person="p0", choice=Choice.APPROVE))
    for heard in (
        Delivered(at=moment - timedelta(minutes=90), person="p1"),
        Delivered(at=moment + timedelta(seconds=1), person="p0"),
        Delivered(at=moment - timedelta(seconds=1)),
    ):
        assert decide(chain, second, heard)[0] is second
    for heard in (Delivered(at=moment + timedelta(seconds=1), person="p1"), Delivered(at=moment)):
        assert decide(chain, second, heard)[0].clock_from == heard.at


def test_a_thousand_people_who_must_all_agree() -> None:
    people = frozenset(f"p{n}" for n in range(1100))
    assert is_matched([people] * 1100, people) and not is_matched([people] * 1101, people)
    assert len(matching([people] * 1500, people)) == 1100
    chain = [frozenset({f"p{n}", f"p{n + 1}"}) for n in range(1099)]  # each would have the next one's
    assert len(matching([*chain, frozenset({"p0"})], people)) == 1100


@pytest.mark.parametrize(
    ("at_the_end", "ends"),
    [(AtTheEnd.REJECT, Status.EXPIRED), (AtTheEnd.APPROVE, Status.EXPIRED), (AtTheEnd.HOLD, Status.RESCUE)],
)
def test_what_waits_for_an_administrator_ends_with_its_stage(at_the_end: AtTheEnd, ends: Status) -> None:
    """Silence of nobody is no yes; and what the policy holds is held."""
    chain = plan({"expires": Span(seconds=HOUR), "at_the_end": at_the_end})
    stuck = after(chain, Opened(at=FRIDAY), PeopleLeft(at=FRIDAY, people=frozenset({"p0"})))
    assert stuck.status is Status.RESCUE
    assert decide(chain, stuck, ClockReached(at=FRIDAY + timedelta(hours=2)))[0].status is ends

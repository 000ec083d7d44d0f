"""Random chains, and random things that happen to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from approvals.core.approval.events import (
    Cancelled,
    ClockReached,
    ContentChanged,
    Delegated,
    Delivered,
    Event,
    Opened,
    PeopleLeft,
    PeopleNamed,
    Reminded,
    Resumed,
    Revoked,
    Voted,
    Withdrawn,
)
from approvals.core.approval.plan import Level, Plan, StagePlan
from approvals.core.enums import AtTheEnd, Authority, Choice, Mode
from approvals.core.policy.hours import Span

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
PEOPLE = tuple("abcdefg")
people = st.sampled_from(PEOPLE)
some = st.frozensets(people, min_size=1, max_size=5)
spans = st.builds(Span, seconds=st.integers(1, 5000).map(float), business=st.booleans())
wall_spans = st.builds(Span, seconds=st.integers(1, 5000).map(float))
levels = st.builds(Level, after=spans, authority=st.sampled_from(Authority), people=some)


@st.composite
def stages(draw: st.DrawFn) -> StagePlan:
    groups = {name: draw(some) for name in draw(st.sets(st.sampled_from(["leads", "security"]), min_size=1))}
    mode = draw(st.sampled_from(Mode))
    own = frozenset().union(*groups.values()) if mode is Mode.GROUPS else draw(some)
    return StagePlan(
        name="stage",
        people=own,
        mode=mode,
        number=draw(st.integers(1, 3)),
        percent=draw(st.integers(1, 100)),
        groups=groups,
        minima={name: draw(st.integers(1, 2)) for name in groups},
        reject_on=draw(st.sampled_from(["first", "impossible"])),
        reminders=tuple(sorted(draw(st.lists(spans, max_size=2)), key=lambda span: span.seconds)),
        levels=tuple(sorted(draw(st.lists(levels, max_size=2)), key=lambda level: level.after.seconds)),
        expires=draw(st.none() | spans),
        latest=draw(st.none() | wall_spans),
        at_the_end=draw(st.sampled_from(AtTheEnd)),
        clock_starts=draw(st.sampled_from(["opened", "delivered"])),
    )


plans = st.builds(
    Plan,
    stages=st.lists(stages(), min_size=1, max_size=3).map(tuple),
    barred=st.frozensets(people, max_size=2),
    cooling_off_seconds=st.sampled_from([0.0, 60.0]),
)


def _event(pick: tuple[int, str, str, Choice, frozenset[str]], at: datetime) -> Event:
    number, one, other, choice, group = pick
    found: list[Event] = [
        ClockReached(at=at),
        Delegated(at=at, person=one, to=other),
        Delivered(at=at, person=one),
        PeopleLeft(at=at, people=group),
        PeopleNamed(at=at, people=group),
        ContentChanged(at=at),
        Withdrawn(at=at),
        Revoked(at=at),
        Cancelled(at=at),
        Reminded(at=at),
        Resumed(at=at, since=at - timedelta(seconds=400 * PEOPLE.index(one)), until=at),
    ]
    return found[number] if number < len(found) else Voted(at=at, person=one, choice=choice)


_picks = st.tuples(
    st.sampled_from([*range(40), 0, 0, 1, 1, 2, 2, 2, 2, 3]), people, people, st.sampled_from(Choice), some
)  # most of them votes
histories = st.lists(st.tuples(_picks, st.integers(0, 1500)), max_size=25)


def events_of(history: list[tuple[tuple[int, str, str, Choice, frozenset[str]], int]]) -> list[Event]:
    at, found = START, [Opened(at=START)]
    events: list[Event] = list(found)
    for pick, seconds in history:
        at += timedelta(seconds=seconds)
        events.append(_event(pick, at))
    return events

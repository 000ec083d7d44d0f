"""A policy and the people it came to, made into the plan of one request."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, timedelta

from approvals.core.approval.plan import Level, Plan, StagePlan
from approvals.core.policy.definition import PolicyDefinition, Stage, Who
from approvals.core.policy.hours import LONGEST_DAYS, Hours, Span, span_of

People = Mapping[str, frozenset[str]]
"""Person ids by what a policy names: `user:bob`, `group:leads`, `email:eve@example.com`, `on-call:web`."""


def plan_of(policy: PolicyDefinition, people: People, *, barred: frozenset[str], holidays: frozenset[date]) -> Plan:
    hours = policy.hours.hours(holidays)
    cooling = span_of(policy.cooling_off, hours).seconds if policy.cooling_off else 0.0
    stages = tuple(_stage(stage, people, hours) for stage in policy.stages)
    return Plan(stages=stages, barred=barred, hours=hours, cooling_off_seconds=cooling)


def names_in(who: Who) -> list[str]:
    """The keys of People that it needs."""
    return [
        *(f"user:{name}" for name in who.users),
        *(f"group:{name}" for name in who.groups),
        *(f"email:{address}" for address in who.emails),
        *([f"on-call:{who.on_call}"] if who.on_call else []),
    ]


def _stage(stage: Stage, people: People, hours: Hours) -> StagePlan:
    levels = [
        Level(after=span_of(one.after, hours), authority=one.authority, people=_people(one.to, people))
        for one in stage.escalate
    ]
    return StagePlan(
        name=stage.name,
        people=_people(stage.who, people),
        groups={name: people.get(f"group:{name}", frozenset()) for name in stage.who.groups},
        reject_on=stage.reject_on,
        reminders=tuple(sorted((span_of(text, hours) for text in stage.remind), key=lambda span: span.seconds)),
        levels=tuple(sorted(levels, key=lambda level: level.after.seconds)),
        expires=span_of(stage.expire, hours) if stage.expire is not None else None,
        latest=span_of(stage.latest, hours) if stage.latest is not None else None,
        at_the_end=stage.at_the_end,
        clock_starts=stage.clock_starts,
        **stage.chain(),
    )


def _people(who: Who, people: People) -> frozenset[str]:
    return frozenset().union(*(people.get(name, frozenset()) for name in names_in(who)))


LEAST_YEARS = 3
"""Also of short chains: a request may be asked anew, or held, and its clocks begin then."""
_YEAR = timedelta(days=365)


def years_of(policy: PolicyDefinition) -> int:
    """How many years, with that of the opening, its stages can take one after the other. At most 20 times 10, and 1."""
    hours = policy.hours.hours()
    days = sum(_days(stage, hours) for stage in policy.stages)
    return max(LEAST_YEARS, 1 + math.ceil(days / _YEAR.days))


def _days(stage: Stage, hours: Hours) -> float:
    return max((_length(span_of(text, hours), hours) for text in stage.spans()), default=0.0)


def _length(span: Span, hours: Hours) -> float:
    """In days of the calendar. Working time twice as long as without holidays: no country is off on half its days."""
    if not span.business:
        return span.seconds / 86_400
    weeks = span.seconds / (len(hours.days) * hours.day_seconds)
    return min(2 * 7 * weeks + 7, LONGEST_DAYS)

"""What a policy would make of a request that nobody has asked yet. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model

from approvals import people, rules
from approvals.calendars import holidays_of
from approvals.core.best_case import best_case
from approvals.core.chain import plan_of
from approvals.core.events import Event, Opened, Voted
from approvals.core.plan import Plan
from approvals.core.policy import PolicyDefinition
from approvals.core.simulate import Course, StandIn, simulate
from approvals.core.words import Choice
from approvals.hopeless import why_hopeless
from approvals.models import Delegation
from approvals.people import Found, Person, person_of
from approvals.reaching import unreachable_among
from orchestration.givers import Giver


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request that nobody has asked yet. `barred`: user names of the author, or of the owner of an agent."""

    stage: str
    description: str = ""
    requester: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    action: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""
    barred: tuple[str, ...] = ()

    def seen_by_rule(self) -> dict[str, Any]:
        content = {"context": dict(self.context), **({"action": dict(self.action)} if self.action else {})}
        facts, about = dict(self.facts), self.about
        return rules.seen(stage=self.stage, content=content, requester=self.requester, facts=facts, about=about)


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """What somebody is to say in the simulation."""

    person: Person
    choice: Choice
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """`course`: as it goes when only `says` are said. `best`: the soonest way to a yes, if there is one.

    `away`: who is asked and never answers. `left_out`: whom the policy names and who cannot decide, with the reason.
    `refused`: why such a request cannot be asked; '' when it can.
    """

    policy: PolicyDefinition
    plan: Plan
    names: Mapping[str, str]
    by_rule: bool
    course: Course
    best: Course
    away: Mapping[str, tuple[str, ...]]
    left_out: tuple[str, ...]
    refused: str

    def name(self, person: str) -> str:
        return self.names.get(person, person)


def simulated(
    *, policy: PolicyDefinition, question: Question, at: datetime, away: Sequence[Person] = (),
    gone: Sequence[Person] = (), says: Sequence[Say] = (),
) -> Simulated:  # fmt: skip
    """`away`: they are asked and do not answer; whom they have named decides for them. `gone`: their accounts are
    closed, so that nobody asks them. Raises BadInput where the policy names what does not exist.
    """
    whom = people.find(policy)
    barred = _barred(question)
    there = without(whom, frozenset(person.id for person in gone))
    plan = plan_for(policy, there, barred, at)
    stand_ins, names = stand_ins_for(policy.policy, at), _names(whom, [*away, *gone, *(say.person for say in says)])
    by_rule = rules.holds(policy.auto_approve, question.seen_by_rule())
    opened = Opened(at=at, by_rule=policy.auto_approve if by_rule else "")
    said = sorted(says, key=lambda say: say.at)
    votes: list[Event] = [Voted(at=say.at, person=say.person.id, choice=say.choice) for say in said]
    silent = frozenset(person.id for person in away)
    names = names | _names_of(frozenset(one.to for one in stand_ins) - names.keys())
    return Simulated(
        policy=policy,
        plan=plan,
        names=names,
        by_rule=by_rule,
        course=simulate(
            plan, [opened, *votes], stand_ins=stand_ins, unreachable=frozenset(unreachable_among(whom.people.values()))
        ),
        best=best_case(plan, opened, silent=silent, stand_ins=stand_ins),
        away={person: _deputies(person, stand_ins) for person in sorted(silent)},
        left_out=(*whom.left_out, *_left_out(policy, whom, barred, names, gone)),
        refused=why_hopeless(plan, policy, there),
    )


def without(whom: Found, gone: frozenset[str]) -> Found:
    """Whom a policy would come to if these were not there."""
    return replace(whom, named={name: found - gone for name, found in whom.named.items()})


def plan_for(policy: PolicyDefinition, whom: Found, barred: frozenset[str], at: datetime) -> Plan:
    """The plan that a request of this moment would get."""
    return plan_of(policy, whom.named, barred=barred, holidays=holidays_of(policy, at))


def _barred(question: Question) -> frozenset[str]:
    """As for a real request: whoever asks, wrote it or owns the agent, by account and by address."""
    return people.ids_of(Giver(None, name) for name in (question.requester, *question.barred))


def stand_ins_for(policy: str, at: datetime) -> tuple[StandIn, ...]:
    """The out-of-office rules that count for a policy, at that time or later."""
    rows = Delegation.objects.filter(ends_at__gt=at, ended_at=None).order_by("pk")
    found = [row for row in rows if row.covers(policy)]
    able = people.who_may_decide({row.to_id for row in found})
    return tuple(
        StandIn(owner=f"user:{row.owner_id}", to=f"user:{row.to_id}", starts=row.starts_at, ends=row.ends_at)
        for row in found
        if row.to_id in able
    )


def _deputies(person: str, stand_ins: Iterable[StandIn]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.to for one in stand_ins if one.owner == person))


def _left_out(
    policy: PolicyDefinition, whom: Found, barred: frozenset[str], names: Mapping[str, str], gone: Sequence[Person]
) -> list[str]:
    named: frozenset[str] = frozenset().union(*whom.named.values())
    asked = [f"{names[one]} asks for it, wrote it or owns the agent that does" for one in sorted(named & barred)]
    closed = [f"{one.name} is taken to be gone" for one in gone if one.id in named]
    return [*asked, *closed]


def _names(whom: Found, others: Iterable[Person]) -> dict[str, str]:
    return {person.id: person.name for person in [*whom.people.values(), *others]}


def _names_of(ids: frozenset[str]) -> dict[str, str]:
    keys = [int(one.removeprefix("user:")) for one in ids if one.startswith("user:")]
    return {person.id: person.name for person in map(person_of, get_user_model().objects.filter(pk__in=keys))}

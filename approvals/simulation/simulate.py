"""What a policy would lead to for a request that has not been asked yet. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.auth import get_user_model

from approvals.core.approval.events import Event, Opened, Voted
from approvals.core.approval.plan import Plan, in_order
from approvals.core.content import Ask
from approvals.core.enums import Choice
from approvals.core.policy.chain import plan_of
from approvals.core.policy.definition import PolicyDefinition
from approvals.core.simulation.best_case import best_case
from approvals.core.simulation.simulate import Course, StandIn, simulate
from approvals.models import Delegation, Request
from approvals.policies import conditions, principals
from approvals.policies.checks import unreachable_among, why_infeasible
from approvals.policies.holidays import holidays_of
from approvals.policies.principals import Person, ResolvedPrincipals, person_of
from orchestration.runs.contributors import Contributor


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """A vote in the simulation; `at` is aware."""

    person: Person
    choice: Choice
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """The result. `course`: with the votes of `says` only. `best`: the soonest way to an approval.

    `away`: {person id of one who never answers: their delegates}. `left_out`: people whom the policy names and who
    cannot decide, with the reason. `refused`: why such a request cannot be asked; '' when it can.
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
        """The name of a person in it."""
        return self.names.get(person, person)


def simulated(
    *, policy: PolicyDefinition, given: Ask, at: datetime, requester: str = "", away: Sequence[Person] = (),
    gone: Sequence[Person] = (), says: Sequence[Say] = (),
) -> Simulated:  # fmt: skip
    """Simulate a request that is asked `at` (aware). The policy and approvers that `given` names are ignored.

    `requester`: the user name of the person who asks. `away`: people who do not answer; their delegates decide for
    them. `gone`: people whose accounts are taken to be closed. `says`: the votes.

    Raises:
        BadInput: the policy names people that do not exist.
    """
    whom = principals.resolve(policy)
    barred = _barred(given, requester)
    there = without(whom, frozenset(person.id for person in gone))
    plan = plan_for(policy, there, barred, at)
    stand_ins, names = stand_ins_for(policy.policy, at), _names(whom, [*away, *gone, *(say.person for say in says)])
    unstored = Request(stage=given.stage, requester=requester, facts=dict(given.facts), about=given.about)
    opened = Opened(at=at, by_rule=conditions.rule_for(policy, unstored, given.content()))
    said = sorted(says, key=lambda say: say.at)
    votes: list[Event] = [Voted(at=say.at, person=say.person.id, choice=say.choice) for say in said]
    silent = frozenset(person.id for person in away)
    names = names | _names_of(frozenset(one.to for one in stand_ins) - names.keys())
    return Simulated(
        policy=policy,
        plan=plan,
        names=names,
        by_rule=bool(opened.by_rule),
        course=simulate(
            plan, [opened, *votes], stand_ins=stand_ins, unreachable=frozenset(unreachable_among(whom.people.values()))
        ),
        best=best_case(plan, opened, silent=silent, stand_ins=stand_ins),
        away={person: _deputies(person, stand_ins) for person in in_order(silent)},
        left_out=(*whom.left_out, *_left_out(policy, whom, barred, names, gone)),
        refused=why_infeasible(plan, policy, there),
    )


def without(whom: ResolvedPrincipals, gone: frozenset[str]) -> ResolvedPrincipals:
    """The people of a policy if these were not there."""
    return replace(whom, named={name: found - gone for name, found in whom.named.items()})


def plan_for(policy: PolicyDefinition, whom: ResolvedPrincipals, barred: frozenset[str], at: datetime) -> Plan:
    """The plan that a request of this moment would get."""
    return plan_of(policy, whom.named, barred=barred, holidays=holidays_of(policy, at))


def _barred(given: Ask, requester: str) -> frozenset[str]:
    """As for a real request: the requester, the author and the owner of the agent, by account and by address."""
    return principals.ids_of(Contributor(None, name) for name in (requester, given.author, given.agent_owner))


def stand_ins_for(policy: str, at: datetime) -> tuple[StandIn, ...]:
    """The delegations that count for a policy, at that time or later."""
    rows = Delegation.objects.filter(ends_at__gt=at, ended_at=None).order_by("pk")
    found = [row for row in rows if row.covers(policy)]
    able = principals.who_may_decide({row.to_id for row in found})
    return tuple(
        StandIn(owner=f"user:{row.owner_id}", to=f"user:{row.to_id}", starts=row.starts_at, ends=row.ends_at)
        for row in found
        if row.to_id in able
    )


def _deputies(person: str, stand_ins: Iterable[StandIn]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.to for one in stand_ins if one.owner == person))


def _left_out(
    policy: PolicyDefinition,
    whom: ResolvedPrincipals,
    barred: frozenset[str],
    names: Mapping[str, str],
    gone: Sequence[Person],
) -> list[str]:
    named: frozenset[str] = frozenset().union(*whom.named.values())
    asked = [f"{names[one]} asks for it, wrote it or owns the agent that does" for one in sorted(named & barred)]
    closed = [f"{one.name} is assumed to be unavailable" for one in gone if one.id in named]
    return [*asked, *closed]


def _names(whom: ResolvedPrincipals, others: Iterable[Person]) -> dict[str, str]:
    return {person.id: person.name for person in [*whom.people.values(), *others]}


def _names_of(ids: frozenset[str]) -> dict[str, str]:
    keys = [int(one.removeprefix("user:")) for one in ids if one.startswith("user:")]
    return {person.id: person.name for person in map(person_of, get_user_model().objects.filter(pk__in=keys))}

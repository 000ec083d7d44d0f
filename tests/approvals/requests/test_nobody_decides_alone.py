"""Whatever people do to a request through the services, in whatever order: whoever asked never decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approvals.external_flow import APPROVAL
from approvals.models import Request, Vote
from approvals.policies.principals import Person, person_of
from approvals.requests import (
    Ask,
    ask,
    decide,
    delegate_while_away,
    name_people,
    publish_policy,
    reassign,
    resubmit,
    revoke,
    withdraw,
)
from approvals.requests.state.reconcile import reconcile
from foundation.clock import now
from foundation.errors import BadInput, Gone, WrongState, ZenError
from foundation.identity import permissions
from foundation.identity.actor import Actor
from orchestration.runs import publish, start_run
from orchestration.runs.new_run import Parent
from tests.system.contract.cast import account, actor
from tests.system.contract.sagas import ADA
from tests.system.races.scenes import SAGA, ends_of, whole

pytestmark = pytest.mark.django_db(transaction=True)

OWN = ("requester", "author", "owner", "starter", "publisher", "second")
"""All of them may decide elsewhere; `second` is another account of the requester, with the same address."""
OTHERS = ("bob", "carol", "dora")
EVERYBODY = (*OWN, *OTHERS)
names = st.sampled_from(EVERYBODY)


def address_of(name: str) -> str:
    return f"{'Requester' if name == 'second' else name}@example.com"


whos = st.fixed_dictionaries(
    {},
    optional={
        "users": st.lists(names, min_size=1, max_size=4, unique=True),
        "groups": st.just(["leads"]),
        "emails": st.lists(names.map(address_of), min_size=1, max_size=3, unique=True),
    },
).filter(bool)
stages = st.fixed_dictionaries({
    "who": whos,
    "how_many": st.sampled_from(["any", "all", 1, 2, "60%"]),
    "reject_on": st.sampled_from(["first", "impossible"]),
    "expire": st.just("4h"),
    "at_the_end": st.sampled_from(["reject", "approve", "hold"]),
    "escalate": st.lists(
        st.fixed_dictionaries({"after": st.just("1h"), "to": whos, "authority": st.sampled_from(["add", "transfer"])}),
        max_size=2,
    ),
    "must_comment_on": st.just([]),
})  # fmt: skip
policies = st.fixed_dictionaries(
    {"stages": st.lists(stages, min_size=1, max_size=2)}, optional={"cooling_off": st.just("1h")}
)
choices = st.sampled_from(["approve", "approve", "approve", "reject", "request-changes", "abstain"])
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("speak"), names, choices),
        st.tuples(st.just("speak"), names, choices),
        st.tuples(st.just("speak"), names, choices),
        st.tuples(st.just("write"), names, choices),
        st.tuples(st.just("away"), names, names),
        st.tuples(st.just("reassign"), names, names),
        st.tuples(st.just("name"), names, names),
        st.tuples(st.just("clock"), st.integers(0, 5), st.none()),
        st.tuples(st.just("resubmit"), names, st.integers(0, 3)),
        st.tuples(st.just("leave"), names, st.sampled_from(["leads", "approver", ""])),
        st.tuples(st.sampled_from(["withdraw", "revoke", "cancel", "reconcile"]), names, st.none()),
    ),
    max_size=14,
)


class Scene:
    def __init__(self, policy: dict[str, Any]) -> None:
        self.users = {name: account(name, "approver", "operator", "leads") for name in EVERYBODY}
        self.users["second"].email = address_of("second")
        self.users["second"].save(update_fields=["email"])
        numbered = [{"name": f"s{number}", **stage} for number, stage in enumerate(policy["stages"])]
        publish_policy(data={**policy, "policy": "p", "stages": numbered}, actor=ADA)
        publish(data=SAGA, actor=actor(self.users["publisher"]))
        self.run, _ = start_run(definition=SAGA, actor=actor(self.users["starter"]), engine="celery")
        given_ask = Ask(stage="x", policy="p", author="author", agent_owner="owner", context={"n": 0})
        parent = Parent(run=self.run, step_id="gate", iteration=1, attempt=1)
        self.request, _ = ask(given=given_ask, actor=actor(self.users["requester"]), engine="celery", parent=parent)
        self.at: datetime = now()

    def happens(self, what: str, one: Any, other: Any) -> None:
        request_id, users = self.request.request_id, self.users
        match what:
            case "speak":
                self.speak(one, other)
            case "write":  # by a link that came to the address
                person = Person(id=f"email:{address_of(one).lower()}", name=one, email=address_of(one))
                by = Actor(name=person.email, door="link", roles=frozenset({permissions.APPROVER}))
                decide(request_id=request_id, actor=by, person=person, choice=other)
            case "away":
                delegate_while_away(
                    actor=ADA, owner=users[one], to=users[other], starts_at=now() - timedelta(hours=1),
                    ends_at=now() + timedelta(days=1),
                )  # fmt: skip
            case "reassign":
                reassign(request_id=request_id, actor=ADA, person=one, to=other)
            case "name":
                name_people(request_id=request_id, actor=ADA, users=[one, other])
            case "clock":
                self.at += timedelta(hours=one)
                APPROVAL.on_timer(self.request.run_id, self.at)
            case "resubmit":
                resubmit(request_id=request_id, actor=self.as_administrator(one), context={"n": other})
            case "leave":
                group = Group.objects.filter(name=other).first()
                users[one].groups.remove(group) if group else users[one].__class__.objects.filter(
                    pk=users[one].pk
                ).update(is_active=False)
            case "withdraw":
                withdraw(request_id=request_id, actor=ADA)
            case "revoke":
                revoke(request_id=request_id, actor=ADA)
            case "cancel":
                APPROVAL.on_message(self.request.run, {"kind": "abort_requested", "by": "parent run"})
            case _:
                reconcile()

    def as_administrator(self, name: str) -> Actor:
        return Actor(name=name, door="admin", roles=frozenset({permissions.ADMINISTRATOR}))

    def speak(self, name: str, choice: str) -> None:
        user = self.users[name]
        user.refresh_from_db()
        by = Actor(name=name, door="python", roles=frozenset({permissions.APPROVER}))
        decide(request_id=self.request.request_id, actor=by, person=person_of(user), choice=choice)


@contextmanager
def undone() -> Iterator[None]:
    """What an example wrote is gone after it. Nothing is delivered: what waits in rows is what is looked at."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def human(address: str) -> str:
    return address.lower().partition("@")[0]


def nobody_decided_for_themselves(scene: Scene, written_since: dict[str, int]) -> None:
    """`written_since`: from which round on somebody is an author of it; what they said before stands."""
    people = Request.objects.get(pk=scene.request.pk).people
    for vote in Vote.objects.filter(request=scene.request):
        for person in (vote.person, vote.owner):
            who = human(people.get(person, {}).get("email", "") or person.removeprefix("email:"))
            assert who not in OWN, f"{who} decided what they had asked for"
            assert vote.round < written_since.get(who, vote.round + 1), f"{who} decided what they had written"


def nobody_spoke_twice(scene: Scene) -> None:
    people = Request.objects.get(pk=scene.request.pk).people
    voices = [
        (vote.round, human(people.get(vote.person, {}).get("email", "") or vote.person.removeprefix("email:")))
        for vote in Vote.objects.filter(request=scene.request)
    ]
    assert len(voices) == len(set(voices)), voices


def everybody_hears_that_it_is_over(scene: Scene, request: Request) -> None:
    for name in EVERYBODY:
        for choice in ("approve", "reject"):
            repeated = request.votes.filter(user=scene.users[name], round=request.round, choice=choice).exists()
            refusal = refusal_of(partial(scene.speak, name, choice))
            if refusal is None:
                assert repeated, "a word was taken after the end"
            elif isinstance(refusal, Gone):
                assert request.status == "expired" and re.search(r"over at \d{4}-\d\d-\d\d .* UTC", str(refusal))
            else:
                by = f" by {request.decided_by}" if request.decided_by else ""
                assert isinstance(refusal, WrongState)
                assert re.match(rf"it is {request.status} already{re.escape(by)}, since \d{{4}}-", str(refusal)), (
                    refusal
                )


def refusal_of(act: Callable[[], object]) -> ZenError | None:
    try:
        act()
    except ZenError as refusal:
        return refusal
    return None


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies, happenings)
def test_whoever_asked_never_decides_whatever_happens(policy: dict[str, Any], story: list[Any]) -> None:
    with undone():
        try:
            scene = Scene(policy)
        except BadInput:  # nobody but themselves was to decide
            return
        written_since: dict[str, int] = {}
        for what, one, other in story:
            before = Request.objects.get(pk=scene.request.pk)
            with suppress(ZenError):
                scene.happens(what, one, other)
            after = Request.objects.get(pk=scene.request.pk)
            if what == "resubmit" and after.round > before.round:
                written_since.setdefault(one, after.round)
            nobody_decided_for_themselves(scene, written_since)
            nobody_spoke_twice(scene)
        request = whole(scene.request)
        assert len(ends_of(request)) <= 2
        if request.status in ("approved", "rejected", "expired", "withdrawn", "cancelled"):
            everybody_hears_that_it_is_over(scene, request)
            whole(request)

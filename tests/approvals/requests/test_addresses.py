"""Addresses in a policy: what reaches nobody is refused, and whoever has an account has one voice and no other door."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from approvals.core.policy.definition import PolicyDefinition
from approvals.models import Request
from approvals.policies import principals
from approvals.policies.publish import check_policy
from approvals.queries.view import not_reached
from approvals.requests import Ask, ask, decide, name_people, publish_policy
from approvals.simulation.simulate import simulated
from foundation.clock import now
from foundation.errors import BadInput, NotAllowed
from foundation.identity.actor import Actor
from notifications.models import Delivery
from orchestration.models import Run
from orchestration.runs import start_run
from tests.approvals.api.test_requests import client_for
from tests.orchestration.api.test_runs import post
from tests.system.contract.cast import account, actor, says
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
WRONG = ("ops@intranet", "eve@corp", "@ada", "ada", "e" * 250 + "@example.com")


@pytest.fixture(autouse=True)
def by_address(settings: Any) -> None:
    settings.ZEN_APPROVERS_BY_ADDRESS = True


def of(*emails: str, **more: Any) -> dict[str, Any]:
    return {"policy": "p", "stages": [{"name": "s", "who": {"emails": list(emails)}, **more}]}


def asked(*emails: str, by: Actor = ADA, **more: Any) -> Request:
    publish_policy(data=of(*emails), actor=ADA)
    return ask(given=Ask(stage="s", policy="p", description="?", **more), actor=by, engine="celery")[0]


def closed(name: str) -> User:
    user: User = account(name)
    user.is_active = False
    user.save(update_fields=["is_active"])
    return user


@pytest.mark.parametrize("address", WRONG)
def test_an_address_that_reaches_nobody_is_refused_by_name(address: str) -> None:
    with pytest.raises(BadInput, match=r"is no e-mail address") as refused:
        principals.resolve(PolicyDefinition.model_validate(of(address)))
    assert refused.value.field == "emails" and address[:100] in refused.value.message
    assert "ada@company.com" in refused.value.remedy


def test_it_is_refused_wherever_it_comes_in() -> None:
    ada = client_for(account("olga", "operator"))
    answer = post(ada, "approvals/", {"stage": "s", "approvers": ["bob", "eve@corp"], "engine": "celery"})
    assert answer.status_code == 422 and "'eve@corp' is no e-mail address" in answer.content.decode()
    level = {"after": "1h", "to": {"emails": ["ops@intranet"]}}
    with pytest.raises(BadInput, match="ops@intranet"):
        asked_with_a_level(level)
    old = PolicyDefinition.model_validate(of("bob@example.com", escalate=[level]))
    with pytest.raises(BadInput, match="ops@intranet"):
        simulated(policy=old, given=Ask(stage="s"), at=now())
    gate = {"step_id": "g", "forward_action": {"type": "approval", "approvers": ["bob", "eve@corp"]}}
    with pytest.raises(BadInput, match="eve@corp"):
        start_run(definition={"saga_id": "s", "steps": [gate]}, actor=ADA, engine="celery")
    assert not Request.objects.exists() and not Run.objects.exists()


def test_a_policy_that_names_one_is_not_published() -> None:
    admin = client_for(account("root", "administrator"))
    answer = post(admin, "policies/", of("eve@corp"))
    assert answer.status_code == 422 and "'eve@corp' is no e-mail address" in answer.content.decode()


def test_a_later_account_of_the_requester_with_a_tag_decides_nothing() -> None:
    oli = account("oli", "approver", "operator", email="oli@example.com")
    request = asked("bob@example.com", by=actor(oli))
    account("oli2", email="oli+2@example.com")
    name_people(request_id=str(request), actor=ADA, users=["oli2"])
    with pytest.raises(NotAllowed, match="the requester, the author"):
        says("oli2", "approve", request)


def asked_with_a_level(level: dict[str, Any]) -> Request:
    publish_policy(data=of("bob@example.com", escalate=[level]), actor=ADA)
    return ask(given=Ask(stage="s", policy="p", description="?"), actor=ADA, engine="celery")[0]


def test_an_account_that_may_not_decide_is_no_address() -> None:
    closed("eve")
    account("vera", "viewer")
    found = principals.resolve(check_policy(of("Eve@example.com", "vera@example.com", "bob@example.com")))
    assert list(found.people) == [f"user:{account('bob').pk}"]
    assert found.left_out == ("the account eve is closed", "the account vera has none of the roles that decide")
    with pytest.raises(BadInput, match="the account eve is closed"):
        asked("eve@example.com")


def test_of_two_accounts_with_an_address_the_one_that_decides_is_asked() -> None:
    old = closed("eve")
    new = account("eve2", email="EVE@example.com")
    assert list(principals.resolve(check_policy(of(old.email))).people) == [f"user:{new.pk}"]


def test_a_tag_makes_nobody_another_person() -> None:
    bob = account("bob")
    found = principals.resolve(check_policy(of("bob+zen@example.com", "eve+1@example.com", "Eve+2@Example.com")))
    assert list(found.people) == [f"user:{bob.pk}", "email:eve@example.com"]
    tagged = account("fay", email="fay+work@example.com")
    assert list(principals.resolve(check_policy(of("fay@example.com"))).people) == [f"user:{tagged.pk}"]


def test_it_is_written_to_with_its_tag_and_known_without_it() -> None:
    request = asked("eve+1@example.com")
    row = Delivery.objects.get()
    assert (row.address, row.person_key) == ("eve+1@example.com", "email:eve@example.com")
    Delivery.objects.update(status=Delivery.DEAD, error="no such mailbox")
    assert not_reached(request, ["email:eve@example.com"]) == {"email:eve@example.com": "no such mailbox"}


def test_accounts_that_differ_in_their_tag_alone_are_told_apart() -> None:
    account("qa", email="qa@example.com")
    one, two = account("qa1", email="qa+1@example.com"), account("qa2", email="qa+2@example.com")
    found = principals.resolve(check_policy(of("qa+1@example.com", "qa+2@example.com")))
    assert list(found.people) == [f"user:{one.pk}", f"user:{two.pk}"]


@pytest.mark.parametrize(
    ("own", "named"),
    [("oli@example.com", "oli+me@example.com"), ("oli+zen@example.com", "oli+me@example.com"),
     ("oli+zen@example.com", "OLI@example.com")],
)  # fmt: skip
@pytest.mark.parametrize("has_account", [True, False])
def test_whoever_asks_is_barred_under_every_tag(own: str, named: str, has_account: bool) -> None:
    """With an account, or as an author who is known by an address alone."""
    given: dict[str, Any] = {} if has_account else {"author": own}
    by = actor(account("oli", "approver", "operator", email=own)) if has_account else ADA
    with pytest.raises(BadInput, match="nobody can decide"):
        asked(named, by=by, **given)
    request = asked(named, "bob@example.com", by=by, **given)
    assert [seat.user for seat in request.seats.all()] == [account("bob")]
    person = principals.Person(id="email:oli@example.com", name=named, email=named)
    link = Actor(name=named, door="link", roles=frozenset({"approver"}))
    with pytest.raises(NotAllowed):
        decide(request_id=str(request), actor=link, person=person, choice="approve")

"""Who may decide is asked again when they do: accounts are closed, roles taken away, groups left meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db.models import ProtectedError
from pytest_django import Settings

from approvals.models import Request
from approvals.policies.principals import Person
from approvals.requests import Ask, ask, decide, name_people, publish_policy, resubmit
from foundation.errors import NotAllowed, WrongState
from foundation.identity.actor import Actor
from tests.system.contract.cast import account, actor, says
from tests.system.contract.sagas import ADA
from tests.system.races.scenes import opened, whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def closed(user: Any) -> None:
    user.is_active = False
    user.save(update_fields=["is_active"])


def without(name: str) -> Callable[[Any], None]:
    return lambda user: user.groups.remove(Group.objects.get(name=name))


def of_leads(**more: Any) -> Request:
    for name in ("emil", "fay"):
        account(name, "leads")
    stage = {"name": "s", "who": {"groups": ["leads"]}, **more}
    publish_policy(data={"policy": "p", "stages": [stage]}, actor=ADA)
    return opened(policy="p", approvers=())


@pytest.mark.parametrize("change", [closed, without("approver"), without("leads")], ids=["closed", "role", "group"])
def test_a_right_that_was_lost_meanwhile_is_gone(change: Callable[[Any], None]) -> None:
    request, emil = of_leads(), account("emil")
    change(emil)
    with pytest.raises(NotAllowed):
        says("emil", "approve", request)
    assert not whole(request).votes.exists()
    assert says("fay", "approve", request).status == "approved"


def test_who_is_named_as_well_may_leave_the_group() -> None:
    request = of_leads(who={"groups": ["leads"], "users": ["emil"]})
    without("leads")(account("emil"))
    assert says("emil", "approve", request).status == "approved"


def test_a_member_of_another_group_of_the_stage_may_leave_one() -> None:
    account("emil", "leads", "security")
    request = of_leads(who={"groups": ["leads", "security"]})
    without("leads")(account("emil"))
    assert says("emil", "approve", request).status == "approved"


def test_where_each_group_counts_nobody_speaks_for_one_they_left() -> None:
    account("emil", "leads", "security")
    account("gus", "security")
    request = of_leads(who={"groups": ["leads", "security"]}, how_many={"leads": 1, "security": 1})
    without("leads")(account("emil"))
    with pytest.raises(NotAllowed, match="no longer among the people"):
        says("emil", "approve", request)
    assert says("gus", "approve", says("fay", "approve", request)).status == "approved"


def test_an_administrator_can_name_one_who_left() -> None:
    request, emil = of_leads(), account("emil")
    without("leads")(emil)
    name_people(request_id=str(request), actor=ADA, users=["emil"])
    assert says("emil", "approve", request).status == "approved"


def test_a_level_that_was_left_lends_no_voice() -> None:
    account("gus", "bosses")
    account("hans", "bosses")
    request = of_leads(escalate=[{"after": 0.001, "to": {"groups": ["bosses"]}, "authority": "add"}])
    without("bosses")(account("gus"))
    with pytest.raises(NotAllowed):
        says("gus", "approve", request)
    assert says("hans", "approve", request).status == "approved"


def test_those_who_stay_are_enough_once_the_others_have_left() -> None:
    request = of_leads(how_many="all")
    without("leads")(account("emil"))
    request = says("fay", "approve", request)
    assert whole(request).status == "approved" and request.decided_by == "fay"


def test_a_no_counts_before_those_who_left_are_taken_off() -> None:
    account("gus", "leads")
    request = says("emil", "approve", of_leads(how_many="all"))
    without("leads")(account("fay"))
    assert says("gus", "reject", request).status == "rejected"


def test_two_accounts_with_one_address_are_one_voice() -> None:
    account("bob2", email="BOB@example.com")
    request = says("bob", "approve", opened(approvers=("bob", "bob2", "carol"), how_many=2))
    with pytest.raises(WrongState, match="bob has decided already, with the same address"):
        says("bob2", "approve", request)
    assert says("carol", "approve", request).status == "approved"


def test_another_account_of_the_requester_decides_nothing() -> None:
    erin = account("erin", "approver", "operator")
    request, _ = ask(given=Ask(stage="x", approvers=("bob",)), actor=actor(erin), engine="celery")
    later = account("erin-too", email="erin@example.com")
    name_people(request_id=str(request), actor=ADA, users=["erin-too"])
    with pytest.raises(NotAllowed, match="the requester, the author"):
        says(later.get_username(), "approve", request)


def test_the_address_of_the_requester_decides_nothing(settings: Settings) -> None:
    settings.ZEN_APPROVERS_BY_ADDRESS = True
    erin = account("erin", "operator")
    given = Ask(stage="x", approvers=("bob", "erin@example.com"))
    request, _ = ask(given=given, actor=actor(erin), engine="celery")
    by = Actor(name="erin@example.com", door="link", roles=frozenset({"approver"}))
    person = Person(id="email:erin@example.com", name="erin@example.com", email="erin@example.com")
    with pytest.raises(NotAllowed):
        decide(request_id=str(request), actor=by, person=person, choice="approve")
    assert [seat.user for seat in request.seats.all()] == [account("bob")]


def test_who_rewrites_it_does_not_decide_it() -> None:
    bob = actor(account("bob", "administrator"))
    request = resubmit(request_id=str(opened(context={"n": 1})), actor=bob, context={"n": 2})
    with pytest.raises(NotAllowed):
        says("bob", "approve", request)
    assert says("carol", "approve", request).status == "approved"


def test_an_account_that_decides_or_has_decided_cannot_be_deleted() -> None:
    request = says("bob", "approve", opened(how_many="all"))
    for name in ("bob", "carol"):
        with pytest.raises(ProtectedError):
            account(name).delete()
    assert whole(request).votes.get().user == account("bob")

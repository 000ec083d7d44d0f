"""Somebody is away and another decides for them: from a day to a day, one hop, and never for whoever asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from approvals.models import Delegation, Request
from approvals.queries.inbox import inbox_of
from approvals.requests import Ask, ask, delegate_while_away, end_delegation, publish_policy, reassign
from approvals.requests.state.reconcile import reconcile
from foundation.clock import now
from foundation.errors import BadInput, NotAllowed, WrongState
from foundation.models import AuditEvent
from tests.system.contract.cast import account, actor, says
from tests.system.contract.sagas import ADA
from tests.system.races.scenes import opened, whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def away(owner: str, to: str, *, starts: float = -1, ends: float = 24, **more: Any) -> Delegation:
    """Hours from now."""
    rule: Delegation = delegate_while_away(
        actor=actor(account(owner)), owner=account(owner), to=account(to), starts_at=now() + timedelta(hours=starts),
        ends_at=now() + timedelta(hours=ends), **more,
    )  # fmt: skip
    return rule


def person(name: str) -> str:
    return f"user:{account(name).pk}"


def test_the_vote_says_on_whose_behalf_it_was_given() -> None:
    rule, request = away("bob", "dora"), opened(how_many="all")
    assert list(inbox_of(account("dora"))) == [request]
    says("dora", "approve", request)
    vote = whole(request).votes.get()
    assert (vote.person, vote.owner, vote.delegation) == (person("dora"), person("bob"), rule)
    audited = AuditEvent.objects.get(workflow_id=request.request_id, action="approval.approve")
    assert audited.data["on_behalf_of"] == person("bob")
    with pytest.raises(NotAllowed):
        says("bob", "reject", request)


@pytest.mark.parametrize(("starts", "ends"), [(1, 24), (-24, 0.00001)])
def test_it_counts_within_its_dates_only(starts: float, ends: float) -> None:
    request = opened()
    rule = away("bob", "dora", starts=starts, ends=ends)
    while rule.ends_at > now() > rule.starts_at:
        pass
    with pytest.raises(NotAllowed, match="not among those who decide now"):
        says("dora", "approve", request)
    assert not inbox_of(account("dora")).exists()


def test_it_counts_when_the_decision_is_made_and_not_when_it_was_asked() -> None:
    request = opened()
    rule = away("bob", "dora")  # after the request
    end_delegation(actor=actor(account("bob")), delegation_id=rule.pk)
    with pytest.raises(NotAllowed):
        says("dora", "approve", request)
    away("bob", "dora")
    assert says("dora", "approve", request).status == "approved"


def test_the_owner_may_still_decide() -> None:
    away("bob", "dora")
    request = says("bob", "approve", opened())
    assert request.votes.get().owner == person("bob") and request.votes.get().delegation is None
    with pytest.raises(WrongState, match="approved already by bob"):
        says("dora", "reject", request)


def test_it_goes_one_hop_and_no_further() -> None:
    account("emil")
    away("bob", "dora")
    away("dora", "emil")
    request = opened(approvers=("bob",))
    with pytest.raises(NotAllowed):
        says("emil", "approve", request)
    given = reassign(request_id=str(opened(approvers=("bob",))), actor=actor(account("bob")), to="dora")
    with pytest.raises(NotAllowed):
        says("emil", "approve", given)
    with pytest.raises(WrongState, match="delegated vote cannot be delegated again"):
        reassign(request_id=str(given), actor=actor(account("dora")), to="emil")


def test_it_never_comes_back_to_whoever_asked() -> None:
    erin = account("erin", "approver", "operator")
    away("bob", "erin")
    request, _ = ask(given=Ask(stage="x", approvers=("bob",)), actor=actor(erin), engine="celery")
    with pytest.raises(NotAllowed, match="cannot decide"):
        says("erin", "approve", request)
    with pytest.raises(WrongState, match="cannot be delegated to the requester"):
        reassign(request_id=str(request), actor=actor(account("bob")), to="erin")
    assert not whole(request).votes.exists()


def test_it_is_for_the_policies_that_it_names() -> None:
    publish_policy(data={"policy": "another", "stages": [{"name": "s", "who": {"users": ["bob"]}}]}, actor=ADA)
    away("bob", "dora", policies=["another"])
    request = opened()
    with pytest.raises(NotAllowed):
        says("dora", "approve", request)
    away("bob", "dora", policies=["another", request.policy.name])
    assert says("dora", "approve", request).status == "approved"


def test_a_policy_that_is_not_there_is_named_with_the_nearest_one() -> None:
    publish_policy(data={"policy": "deployment", "stages": [{"name": "s", "who": {"users": ["bob"]}}]}, actor=ADA)
    with pytest.raises(BadInput, match="there is no policy 'deploiment'") as refused:
        away("bob", "dora", policies=["deployment", "deploiment", "x" * 99])
    assert (refused.value.field, refused.value.remedy) == ("policies", "did you mean 'deployment'?")
    assert [(one["field"], one["remedy"]) for one in refused.value.problems] == [
        ("policies[1]", "did you mean 'deployment'?"), ("policies[2]", "the policies are: deployment, standard"),
    ]  # fmt: skip
    assert not Delegation.objects.exists() and not AuditEvent.objects.filter(action="delegation.create").exists()
    assert away("bob", "dora", policies=["standard", "deployment", "standard"]).policies == ["standard", "deployment"]


def test_who_stands_in_does_not_speak_twice() -> None:
    away("bob", "carol")
    request = says("carol", "approve", opened(how_many="all"))
    assert request.votes.get().owner == person("carol") and request.status == "pending"
    assert says("carol", "approve", request).votes.count() == 1
    with pytest.raises(WrongState, match="decided already"):
        says("carol", "reject", request)


def test_an_owner_who_has_lost_the_right_lends_none() -> None:
    away("bob", "dora")
    request, bob = opened(), account("bob")
    bob.is_active = False
    bob.save(update_fields=["is_active"])
    with pytest.raises(NotAllowed):
        says("dora", "approve", request)
    assert not Request.objects.get(pk=request.pk).votes.exists()


def test_a_seat_comes_back_when_the_one_who_was_given_it_leaves() -> None:
    request = reassign(request_id=str(opened(approvers=("bob",))), actor=ADA, person="bob", to="dora")
    dora = account("dora")
    dora.is_active = False
    dora.save(update_fields=["is_active"])
    assert reconcile() == 1 and [seat.user.username for seat in whole(request).seats.all() if seat.user] == ["bob"]
    assert says("bob", "approve", request).status == "approved"


def test_nobody_can_give_a_seat_to_one_who_is_needed_later() -> None:
    stages = [{"name": "first", "who": {"users": ["bob"]}}, {"name": "second", "who": {"users": ["dora"]}}]
    publish_policy(data={"policy": "p", "stages": stages}, actor=ADA)
    request = opened(policy="p", approvers=())
    with pytest.raises(WrongState, match="is needed for another stage"):
        reassign(request_id=str(request), actor=actor(account("bob")), to="dora")
    away("bob", "dora")
    with pytest.raises(NotAllowed):
        says("dora", "approve", request)
    assert says("dora", "approve", says("bob", "approve", request)).status == "approved"


def test_nobody_stands_in_for_themselves_or_without_the_role() -> None:
    with pytest.raises(BadInput, match="its own holder"):
        away("bob", "bob")
    vera = account("vera", "viewer")
    with pytest.raises(BadInput, match="may not decide"):
        delegate_while_away(
            actor=ADA, owner=account("bob"), to=vera, starts_at=now(), ends_at=now() + timedelta(hours=1)
        )
    with pytest.raises(NotAllowed):
        delegate_while_away(
            actor=actor(account("bob")), owner=account("carol"), to=account("dora"), starts_at=now(),
            ends_at=now() + timedelta(hours=1),
        )  # fmt: skip

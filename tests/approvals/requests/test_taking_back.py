"""A yes is taken back by whoever gave it, or by somebody who manages approvals."""

from __future__ import annotations

import pytest

from approvals.requests import resubmit, revoke
from foundation.errors import NotAllowed
from tests.approvals.scenes import ADA, asked, published
from tests.system.contract.cast import account, actor, says

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.mark.parametrize("other", ["abstain", "reject"])
def test_only_who_said_yes_takes_it_back(other: str) -> None:
    who = {"users": ["bob", "carol", "dora"]}
    stage = {"name": "s", "who": who, "how_many": 2, "reject_on": "impossible"}
    published({"policy": "deployment", "stages": [stage]})
    request = asked()
    says("bob", other, request)
    says("carol", "approve", request)
    assert says("dora", "approve", request).status == "approved"
    with pytest.raises(NotAllowed):
        revoke(request_id=str(request), actor=actor(account("bob")))
    assert revoke(request_id=str(request), actor=actor(account("dora"))).status == "withdrawn"


def test_a_yes_of_an_earlier_round_counts_no_more() -> None:
    request = asked(approvers=("bob", "carol", "dora"), how_many=2)
    says("bob", "approve", request)
    says("carol", "request-changes", request)
    resubmit(request_id=str(request), actor=ADA, description="Smaller")
    says("carol", "approve", request)
    assert says("dora", "approve", request).status == "approved"
    with pytest.raises(NotAllowed):
        revoke(request_id=str(request), actor=actor(account("bob")))
    assert revoke(request_id=str(request), actor=actor(account("boss", "administrator"))).status == "withdrawn"

"""A yes is to what was shown: nobody's edit makes it one to something else."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.core.content import content_hash
from approvals.evidence.receipt import receipt
from approvals.evidence.verify_receipt import problems
from approvals.models import Request, Vote
from approvals.queries.view import request_view
from approvals.requests import publish_policy, resubmit
from approvals.requests.messages.callback_payload import about
from foundation.errors import BadInput, WrongState
from tests.approvals.scenes import ADA, asked
from tests.system.contract.cast import account, says

pytestmark = pytest.mark.django_db(transaction=True)
SIZE = "context.size"


@pytest.fixture
def request_() -> Request:
    for name in ("bob", "carol", "dora"):
        account(name)
    one: dict[str, Any] = {"name": "one", "who": {"users": ["bob", "carol"]}, "how_many": 2, "editable": [SIZE]}
    two = {"name": "two", "who": {"users": ["dora"]}, "editable": [SIZE, "context.zone"]}
    publish_policy(data={"policy": "edits", "stages": [one, two]}, actor=ADA)
    return asked(policy="edits", context={"size": 1, "zone": "a"})


def test_an_edit_changes_what_the_next_one_says_yes_to(request_: Request) -> None:
    before = request_view(request_)["content_hash"]
    request = says("bob", "approve", request_, edits={SIZE: 5})
    after = request_view(request)["content_hash"]
    assert after != before and Vote.objects.get().content_hash == after
    assert after == content_hash(request.content | {"context": {"size": 5, "zone": "a"}})
    with pytest.raises(WrongState, match="has changed since it was shown"):
        says("carol", "approve", request, seen=before)
    with pytest.raises(BadInput, match="has to name the content it is for") as refused:
        says("carol", "approve", request, seen="")
    assert refused.value.field == "seen" and Vote.objects.count() == 1
    says("carol", "approve", request, seen=after)
    request = says("dora", "approve", request, edits={"context.zone": "b"})
    assert request.status == "approved" and request.edits == {SIZE: 5, "context.zone": "b"}
    assert about(request)["edits"] == request.edits and about(request)["content_hash"] == request.shown_hash
    made = receipt(request)
    assert problems(made) == [] and [vote["content_hash"] for vote in made["votes"]] == [
        after,
        after,
        request.shown_hash,
    ]


def test_an_edit_brings_in_no_secret(request_: Request) -> None:
    with pytest.raises(BadInput, match="secret reference"):
        says("bob", "approve", request_, edits={SIZE: "{secret:KEY}"})
    assert not Vote.objects.exists()


def test_nobody_edits_what_somebody_has_said_yes_to(request_: Request) -> None:
    says("bob", "approve", request_)
    with pytest.raises(WrongState, match="bob has approved it as it is now"):
        says("carol", "approve", request_, edits={SIZE: 9})
    request = says("carol", "approve", request_)
    assert says("dora", "approve", request, edits={SIZE: 7}).edits == {SIZE: 7}  # its policy lets this stage


def test_a_later_stage_does_not_change_an_edit(request_: Request) -> None:
    says("bob", "approve", request_, edits={SIZE: 5})
    says("carol", "approve", request_)
    with pytest.raises(WrongState, match="an earlier stage has approved it"):
        says("dora", "approve", request_, edits={SIZE: 7})
    assert says("dora", "approve", request_).edits == {SIZE: 5}


def test_a_no_needs_no_look_at_the_edits_and_a_new_round_has_none(request_: Request) -> None:
    says("bob", "approve", request_, edits={SIZE: 5})
    says("carol", "request-changes", request_, seen="")
    request = resubmit(request_id=str(request_), actor=ADA, context={"size": 2, "zone": "a"})
    assert request.edits == {} and request.shown_hash == request.content_hash

"""Content as large as it may be, and edits of more than one stage."""

from __future__ import annotations

import pytest

from approvals.models import Request
from approvals.requests import publish_policy
from foundation.errors import BadInput
from tests.approvals.scenes import ADA, asked
from tests.system.contract.cast import account, says

pytestmark = pytest.mark.django_db(transaction=True)


def test_content_may_be_as_large_as_is_said() -> None:
    account("bob")
    request = asked(approvers=("bob",), context={"text": "x" * 4_000_000})
    assert len(request.content["context"]["text"]) == 4_000_000
    with pytest.raises(BadInput, match="larger than 5 MiB") as refused:
        asked(approvers=("bob",), context={"text": "x" * 6_000_000})
    assert refused.value.field == "context"
    with pytest.raises(BadInput, match="NUL"):
        asked(approvers=("bob",), context={"text": "a\0b"})
    assert Request.objects.count() == 1


def test_a_later_stage_edits_what_it_lists_beside_what_an_earlier_one_has_edited() -> None:
    account("bob")
    account("carol")
    stages = [
        {"name": "one", "who": {"users": ["bob"]}, "editable": ["context.a"]},
        {"name": "two", "who": {"users": ["carol"]}, "editable": ["context.b"]},
    ]
    publish_policy(data={"policy": "edits", "stages": stages}, actor=ADA)
    request = asked(policy="edits", context={"a": 1, "b": 2})
    says("bob", "approve", request, edits={"context.a": 10})
    with pytest.raises(BadInput, match="cannot be edited"):
        says("carol", "approve", request, edits={"context.a": 11})
    with pytest.raises(BadInput, match="NUL"):
        says("carol", "approve", request, edits={"context.b": "\0"})
    request = says("carol", "approve", request, edits={"context.b": 20})
    assert request.status == "approved" and request.edits == {"context.a": 10, "context.b": 20}


def test_a_time_in_whole_seconds_is_a_time() -> None:
    account("bob")
    request = asked(approvers=("bob",), timeout_seconds=1800)
    assert request.expires_at is not None
    assert (request.expires_at - request.created_at).total_seconds() == pytest.approx(1800, abs=5)

"""What the page of a request tells, in the order in which it happened."""

from __future__ import annotations

import pytest

from approvals.models import Request
from approvals.queries.view import request_view
from approvals.requests import resubmit
from approvals.web.history import history
from tests.approvals.scenes import ADA, asked, published
from tests.system.contract.cast import account, says

pytestmark = pytest.mark.django_db


def told(request: Request) -> list[str]:
    request = Request.objects.get(pk=request.pk)
    return [one.get("what") or one["kind"] for one in history(request, request_view(request))]


def test_a_vote_comes_before_what_followed_from_it() -> None:
    account("bob")
    published({"policy": "p", "cooling_off": "1h", "stages": [{"name": "one", "who": {"users": ["bob"]}}]})
    request = asked(policy="p")
    says("bob", "approve", request)
    assert told(request) == ["asked", "stage 'one' was opened", "approve", "approved, and open to objections"]


def test_asked_again_in_the_same_words_is_no_change() -> None:
    account("bob")
    published({"policy": "p", "stages": [{"name": "one", "who": {"users": ["bob"]}}]})
    request = asked(policy="p", description="Deploy")
    says("bob", "request-changes", request)
    resubmit(request_id=request.request_id, actor=ADA, note="made elsewhere")
    says("bob", "request-changes", request)
    resubmit(request_id=request.request_id, actor=ADA, description="Deploy 2")
    after = [line for line in told(request) if "asked again" in line or "has changed" in line]
    assert after == ["asked again in the same words", "what is asked for has changed"]

"""Every yes names what was shown: at every door, in every round."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import Client

from approvals.client import get_approval, submit_approval_decision
from approvals.models import Request, Vote
from approvals.requests import resubmit
from foundation.errors import BadInput, WrongState
from tests.approvals.api.test_requests import client_for
from tests.approvals.scenes import asked
from tests.orchestration.api.test_runs import post
from tests.system.contract.cast import account, actor, says

pytestmark = pytest.mark.django_db(transaction=True)
BARE = {"decision": "approve"}


@pytest.fixture
def request_() -> Request:
    for name in ("ada", "bob"):
        account(name, "operator", "approver")
    return asked(
        request_id="a-1", approvers=("bob",), description="v1", actor=actor(account("ada")), editable=("context.n",),
        context={"n": 1},
    )  # fmt: skip


def again(request: Request) -> Request:
    """ben's case: changes were asked for, and what comes back is another thing."""
    says("bob", "request-changes", request)
    return resubmit(request_id=str(request), actor=actor(account("ada")), description="v2 drop database")


def api(name: str) -> Client:
    return client_for(account(name))


@pytest.mark.parametrize("rounds", [1, 2])
def test_the_api_refuses_a_yes_that_names_nothing(request_: Request, rounds: int) -> None:
    request = again(request_) if rounds == 2 else request_
    answer = post(api("bob"), "approvals/a-1/decide/", BARE)
    said = answer.json()
    assert answer.status_code == 422 and said["field"] == "seen", said
    assert "an approval has to name the content it is for" in said["detail"] and "content_hash" in said["remedy"]
    assert not Vote.objects.filter(round=rounds).exists() and Request.objects.get().status == "pending"
    assert post(api("bob"), "approvals/a-1/decide/", BARE | {"seen": ""}).status_code == 422
    seen = api("bob").get("/api/v1/approvals/a-1/").json()["content_hash"]
    assert seen == request.shown_hash
    assert post(api("bob"), "approvals/a-1/decide/", BARE | {"seen": seen}).json()["status"] == "approved"


def test_what_was_seen_in_the_round_before_is_no_yes_to_this_one(request_: Request) -> None:
    before = request_.shown_hash
    again(request_)
    assert post(api("bob"), "approvals/a-1/decide/", BARE | {"seen": before}).status_code == 409
    assert not Vote.objects.filter(choice="approve").exists()


def test_other_words_need_not_name_it(request_: Request) -> None:
    assert post(api("bob"), "approvals/a-1/decide/", {"decision": "reject", "comment": "no"}).status_code == 200


def test_a_second_press_of_the_same_word_is_heard_already(request_: Request) -> None:
    says("bob", "approve", request_)
    assert post(api("bob"), "approvals/a-1/decide/", BARE).status_code == 200


def python(request: Request, **more: Any) -> bool:
    return asyncio.run(submit_approval_decision(str(request), "bob", "approve", "Ready", **more))


def test_from_python_the_only_content_there_ever_was_needs_no_name(request_: Request) -> None:
    assert python(request_) and Vote.objects.get().content_hash == request_.shown_hash


def test_from_python_another_round_does(request_: Request) -> None:
    again(request_)
    with pytest.raises(BadInput, match="has to name the content it is for") as refused:
        python(request_)
    assert refused.value.field == "seen" and not Vote.objects.filter(choice="approve").exists()
    assert python(request_, seen=asyncio.run(get_approval("a-1"))["content_hash"])


def test_from_python_content_that_somebody_edited_does(request_: Request) -> None:
    Request.objects.update(edits={"context.n": 2})
    with pytest.raises(BadInput, match="has to name the content it is for"):
        python(request_)


def test_a_change_between_the_reading_and_the_yes_is_refused(
    request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("approvals.client.only_content", lambda request: again(request).earlier and "0" * 64)
    with pytest.raises(WrongState, match="has changed since it was shown"):
        python(request_)


def page(form: dict[str, Any], path: str) -> Any:
    client = Client()
    client.force_login(account("bob"))
    return client.post(path, form)


def test_the_pages_refuse_a_form_without_it(request_: Request) -> None:
    """The forms that we serve carry it; one that somebody made up does not."""
    pk = request_.pk
    page({"act": "decide", "choice": "approve"}, f"/admin/approvals/request/{pk}/change/")
    page({"pick": pk, "choice": "approve"}, "/admin/approvals/request/inbox/bulk/")
    assert not Vote.objects.exists()

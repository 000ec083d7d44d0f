"""A link that opens nothing any more says who decided and when, or how to get a new one; and what no link can do."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from approvals.core.approval.events import Delivered
from approvals.external_flow import APPROVAL
from approvals.models import Link, Remark, Request, Vote
from approvals.requests import remind, resubmit
from approvals.requests.state.locked_request import lock_request
from foundation.clock import now
from foundation.db import statements
from orchestration.ledger import store
from orchestration.models import Run
from tests.approvals.doors.test_links import by_address, link_of, opened, press
from tests.approvals.later import after
from tests.approvals.scenes import ADA, published
from tests.approvals.scenes import asked as asked_by_policy
from tests.system.contract.cast import account, says
from tests.system.races.scenes import race

__all__ = ["by_address"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
EVE, MIA = "eve@example.com", "mia@example.com"
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"


def staged(*stages: dict[str, Any], **policy: Any) -> Request:
    named = [{"name": f"s{number}", "expire": "1d", **stage} for number, stage in enumerate(stages)]
    published({"policy": "deployment", "stages": named, **policy})
    return asked_by_policy()


def emails(*addresses: str) -> dict[str, Any]:
    return {"who": {"emails": list(addresses)}}


def gone(path: str, *words: str) -> None:
    """Looking and pressing answer the same, and a look changes nothing."""
    for answer in (Client().get(path), Client().post(path, {"decision": "approve"})):
        text = re.sub(r"\s+", " ", answer.content.decode())
        assert answer.status_code == 410, text
        for word in words:
            assert re.search(word, text), (word, text)


def test_used_while_others_still_decide() -> None:
    request = staged({**emails(EVE, MIA), "how_many": "all"})
    path = link_of(request)
    press(path, "approve")
    gone(path, f"was used at {TIME}: {EVE} approved", f"not decided yet; asked are {MIA}")
    assert Vote.objects.count() == 1


def test_used_and_decided_by_another() -> None:
    account("bob")
    request = staged({"who": {"emails": [EVE], "users": ["bob"]}, "how_many": "all"})
    path = link_of(request)
    press(path, "approve")
    says("bob", "reject", request, "no")
    gone(path, f"was used at {TIME}: {EVE} approved", f"rejected already by bob, since {TIME}")


def test_of_an_earlier_stage() -> None:
    account("bob")
    request = staged({"who": {"emails": [EVE], "users": ["bob"]}}, emails(MIA))
    path = link_of(request)
    says("bob", "approve", request)
    gone(path, f"an earlier stage. bob approved at {TIME}", f"asked are {MIA}")


def test_of_a_stage_that_silence_passed() -> None:
    request = staged({**emails(EVE), "at_the_end": "approve"}, emails(MIA))
    path = link_of(request)
    with statements.writing():
        lock_request(request.run_id).apply(Delivered(at=now(), person=f"email:{EVE}"))
    APPROVAL.on_timer(request.run_id, now() + timedelta(days=2))
    gone(path, f"an earlier stage. Nobody decided there; the stage that is open began at {TIME}")


def test_of_an_earlier_round_and_of_one_in_which_the_requester_has_the_word() -> None:
    account("bob")
    request = staged({"who": {"emails": [EVE], "users": ["bob"]}})
    path = link_of(request)
    says("bob", "request-changes", request, "smaller")
    gone(path, f"bob asked for changes at {TIME}. Waiting for ada")
    resubmit(request_id=str(request), actor=ADA, description="Smaller")
    gone(path, f"an earlier round. bob asked for changes at {TIME}", f"asked are .*{EVE}")
    assert press(link_of(Request.objects.get()), "approve").status_code == 200


def test_a_yes_that_can_be_objected_to_names_who_gave_it() -> None:
    account("bob")
    request = staged({"who": {"emails": [EVE], "users": ["bob"]}, "how_many": "all"}, cooling_off="1h")
    path = link_of(request)
    press(path, "approve")
    says("bob", "approve", request)
    gone(path, f"approved by bob, since {TIME}, and holds from {TIME}")


def test_somebody_was_first_while_the_page_stood_open() -> None:
    account("bob")
    request = staged({"who": {"emails": [EVE], "users": ["bob"]}})
    later = opened(link_of(request))
    says("bob", "reject", request, "no")
    answer = later("approve")
    assert answer.status_code == 410 and f"rejected already by bob, since {now():%Y-%m-%d}" in answer.content.decode()


def test_a_press_after_the_deadline_ends_it_though_no_alarm_has_rung() -> None:
    request = staged({**emails(EVE), "expire": "1h"})
    path = link_of(request)
    later = opened(path)
    with after(hours=2):
        assert b"Nobody decided in time" in Client().get(path).content
        assert Request.objects.get().status == "pending", "a look changes nothing"
        answer = later("approve")
        assert answer.status_code == 410 and b"Nobody decided in time" in answer.content
        assert Request.objects.get().status == "expired" and not Vote.objects.exists()
        gone(path, f"Nobody decided in time: the request is expired, since {TIME}")


def test_it_is_good_until_the_deadline_of_its_stage_and_never_longer_than_the_setting(settings: Settings) -> None:
    assert until_of(staged(emails(EVE))) == Request.objects.latest("pk").expires_at
    long = until_of(staged({**emails(EVE), "expire": "60d"}))
    assert timedelta(days=13, hours=23) < long - now() <= timedelta(days=14)
    settings.ZEN_LINK_DAYS = 3
    endless = until_of(staged({**emails(EVE), "expire": None, "at_the_end": "hold"}))
    assert timedelta(days=2, hours=23) < endless - now() <= timedelta(days=3)


def until_of(request: Request) -> datetime:
    return Link.objects.get(request=request).expires_at


def test_one_that_is_too_old_says_how_to_get_another_and_a_reminder_renews_it() -> None:
    request = staged({**emails(EVE), "expire": "60d"})
    path = link_of(request)
    later = opened(path)
    Link.objects.update(expires_at=now() - timedelta(seconds=1))
    gone(path, f"good until {TIME}. .* ask ada to have you reminded")
    assert later("approve").status_code == 410 and not Vote.objects.exists()
    remind(request_id=str(request), actor=ADA)
    assert later("approve").status_code == 200
    assert Request.objects.get().status == "approved"


def test_its_age_is_judged_under_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was still good when the form came in may be too old once its turn has come."""
    later = opened(link_of(staged({**emails(EVE), "expire": "60d"})))
    lock = store.locked

    def slowly(run_id: int) -> Run:
        Link.objects.update(expires_at=now() - timedelta(seconds=1))
        return lock(run_id)

    monkeypatch.setattr(store, "locked", slowly)
    assert later("approve").status_code == 410 and not Vote.objects.exists()


def test_two_presses_at_one_instant_decide_once() -> None:
    for _ in range(5):
        path = link_of(staged({**emails(EVE, MIA), "how_many": "all"}))
        answers = race(partial(opened(path), "approve"), partial(opened(path), "reject", comment="no"))
        assert sorted(answer.status_code for answer in answers) == [200, 410]


@pytest.mark.parametrize(
    "decision", ["", "abstain", "request-changes", "question", "ask", "delegate", "reassign", "revoke", "withdraw"]
)
def test_it_decides_yes_or_no_and_does_nothing_else(decision: str) -> None:
    account("bob")
    request = staged({"who": {"emails": [EVE], "users": ["bob"]}, "how_many": "all"})
    path = link_of(request)
    more = {"act": decision, "verb": decision, "to": "bob", "person": "bob", "kind": "question", "text": "why?"}
    assert press(path, decision, comment="because", **more).status_code == 422
    after = Request.objects.get()
    assert (after.status, after.state) == (request.status, request.state)
    assert not Vote.objects.exists() and not Remark.objects.exists() and Link.objects.get().used_at is None


def test_its_token_opens_no_other_door() -> None:
    request = staged(emails(EVE))
    token = link_of(request).split("/")[-2]
    client = Client(headers={"Authorization": f"Bearer {token}"})
    for verb in ("decide", "remarks", "reassign", "revoke", "withdraw"):
        answer = client.post(f"/api/v1/approvals/{request}/{verb}/", {}, content_type="application/json")
        assert answer.status_code == 401
    assert client.post("/api/v1/approvals/", {}, content_type="application/json").status_code == 401

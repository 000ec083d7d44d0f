"""The inbox of whoever asked, and of whoever decides for another."""

from __future__ import annotations

from datetime import timedelta

import pytest

from approvals.policies.principals import person_of
from approvals.requests import delegate_while_away, remark
from foundation.clock import now
from tests.approvals.admin import scenes
from tests.approvals.admin.test_doors import INBOX, client_of, page_of
from tests.system.contract.cast import account, actor, says

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def people() -> None:
    scenes.cast()
    for name in ("approver", "dora"):
        account(name)


def test_whoever_asked_sees_what_needs_their_word() -> None:
    asked, changed, quiet = (scenes.asked(title) for title in ("A question", "Changes", "Nothing yet"))
    bob = account("bob")
    remark(request_id=str(asked), actor=actor(bob), person=person_of(bob), kind="question", text="Which disk?")
    says("bob", "request-changes", changed)
    olga = client_of("olga")
    page = olga.get(f"{INBOX}?tab=asked").content.decode()
    order = [page.index(f">{one.title}<") for one in (changed, asked, quiet)]
    assert order == sorted(order) and page.count("A question waits for your answer") == 1
    assert page.count("Changes were asked for") == 1 and 'Asked by me <span class="count">2</span>' in page
    home = olga.get("/admin/", follow=True).content.decode()
    assert "Your requests that need an answer from you" in home and asked.title in home and quiet.title not in home
    mine = account("olga")
    remark(request_id=str(asked), actor=actor(mine), person=person_of(mine), kind="answer", text="The second")
    assert "A question waits" not in olga.get(f"{INBOX}?tab=asked").content.decode()


def test_a_deputy_reads_for_whom_they_would_decide() -> None:
    request = scenes.asked()
    delegate_while_away(
        actor=actor(account("bob")), owner=account("bob"), to=account("dora"), starts_at=now() - timedelta(hours=1),
        ends_at=now() + timedelta(days=1),
    )  # fmt: skip
    dora = client_of("dora")
    assert "You would decide for bob" in dora.get(INBOX).content.decode()
    assert "You decide for bob" in dora.get(page_of(request)).content.decode()
    elsewhere = delegate_while_away(
        actor=actor(account("carol")), owner=account("carol"), to=account("approver"),
        starts_at=now() - timedelta(hours=1), ends_at=now() + timedelta(days=1), policies=["standard"],
    )  # fmt: skip
    assert elsewhere.policies == ["standard"] and "for carol" not in client_of("approver").get(INBOX).content.decode()
    assert "You would decide for" not in client_of("carol").get(INBOX).content.decode()


def test_a_run_that_waits_leads_to_the_page_of_what_it_waits_for() -> None:
    request = scenes.asked()
    page = client_of("bob").get(f"/admin/orchestration/run/{request.run_id}/change/").content.decode()
    assert f'href="{page_of(request)}">Open the page of this approval' in page


def test_after_the_login_comes_the_first_page() -> None:
    from django.test import Client

    account("bob")
    answer = Client().post("/admin/login/", {"username": "bob", "password": "pw-of-bob"})
    assert answer.status_code == 200, "not staff"
    from django.contrib.auth.models import User

    User.objects.filter(username="bob").update(is_staff=True)
    answer = Client().post("/admin/login/", {"username": "bob", "password": "pw-of-bob"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")

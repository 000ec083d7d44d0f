"""What each role sees and may do over the pages, and what it may not."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from approvals.admin import inbox
from approvals.models import Delegation, Request, Vote
from approvals.requests import delegate_while_away, resubmit
from foundation.clock import now
from foundation.models import AuditEvent
from tests.approvals.admin import scenes
from tests.orchestration.admin.visitor import person
from tests.system.contract.cast import account, actor, says

pytestmark = pytest.mark.django_db(transaction=True)
ROLES = ("viewer", "operator", "approver", "administrator")
INBOX = "/admin/approvals/request/inbox/"


def client_of(name: str) -> Client:
    client = Client()
    user = User.objects.get(username=name)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client.force_login(user)
    return client


def page_of(request: Request) -> str:
    return f"/admin/approvals/request/{request.pk}/change/"


def send(client: Client, request: Request, **form: Any) -> Any:
    return client.post(page_of(request), {"seen": request.content_hash, **form})


def offered(client: Client, request: Request) -> set[str]:
    """The choices and acts that the page has a form for."""
    shown = client.get(page_of(request)).content.decode()
    choices = re.findall(r'name="choice" value="([a-z-]+)"', shown)
    return {*choices, *re.findall(r'name="act" value="([a-z-]+)"', shown)} - {"decide"}


ALL = {"approve", "reject", "request-changes", "abstain"}
OFFERS: dict[str, set[str]] = {
    "viewer": {"remark"},
    "operator": {"remark", "remind"},
    "approver": {"remark", "hand-on", *ALL},
    "administrator": {"remark", "remind", "hand-on", "withdraw"},
    "olga": {"remark", "remind", "withdraw"},
}


@pytest.fixture(autouse=True)
def people() -> None:
    scenes.cast()
    for role in ROLES:
        person(role)


@pytest.mark.parametrize("name", OFFERS)
def test_only_what_is_legal_and_allowed_is_offered(name: str) -> None:
    assert offered(client_of(name), scenes.asked()) == OFFERS[name]


@pytest.mark.parametrize("name", ["viewer", "operator", "administrator", "olga"])
def test_who_does_not_decide_is_refused_on_the_page(name: str) -> None:
    request = scenes.asked(about="order-7")
    answer = send(client_of(name), request, act="decide", choice="approve")
    assert answer.status_code == 403 and b'role="alert"' in answer.content
    request.refresh_from_db()
    assert request.status == "pending" and not Vote.objects.exists()


def test_the_requester_cannot_decide_as_an_approver_either() -> None:
    account("olga", "operator", "approver")
    request = scenes.asked(approvers=("olga", "bob"))
    client = client_of("olga")
    assert "approve" not in offered(client, request)
    assert "he requester, the author" in client.get(page_of(request)).content.decode()
    assert send(client, request, act="decide", choice="approve").status_code == 403
    assert request.title not in client.get(INBOX).content.decode()
    assert request.title in client.get(f"{INBOX}?tab=open").content.decode()


def test_why_somebody_cannot_decide_is_said_to_them() -> None:
    """The role is not what the requester lacks; and a sentence to somebody says you."""
    request = scenes.asked()
    asked = client_of("olga")
    shown = asked.get(page_of(request)).content.decode()
    assert "The requester, the author and the owner of the agent that asked cannot decide it." in shown
    assert "give you the role approver" not in shown
    refused = send(asked, request, act="decide", choice="approve").content.decode()
    assert "he requester, the author" in refused and "ask for the role" not in refused
    assert "You are not among those who decide now." in client_of("carol").get(page_of(request)).content.decode()


def test_an_edit_is_never_put_into_the_mouth_of_the_requester() -> None:
    scenes.chain_of_two(editable=["context.service"])
    request = scenes.asked(approvers=(), policy="two")
    says("bob", "approve", request, edits={"context.service": "payments"})
    shown = client_of("approver").get(page_of(request)).content.decode()
    words = shown.split("As stated by olga")[1].split('id="part-edited"')[0]
    assert "web" in words and "payments" not in words and "As requested." in words
    assert "<del>&quot;web&quot;</del> → <ins>&quot;payments&quot;</ins>" in shown.split('id="part-edited"')[1]


def test_nothing_is_for_staff_without_a_role_nor_for_strangers() -> None:
    person("")
    request = scenes.asked()
    client = client_of("nobody")
    for place in (INBOX, page_of(request), f"/admin/approvals/request/{request.pk}/plain/content/"):
        assert client.get(place).status_code == 403, place
        assert Client().get(place).status_code == 302, place
    assert send(client, request, act="decide", choice="approve").status_code == 403
    assert client.post(f"{INBOX}bulk/", {"pick": request.pk, "choice": "approve"}).status_code == 403
    assert not Vote.objects.exists()


def test_a_form_needs_its_token() -> None:
    request, client = scenes.asked(), Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(username="approver"))
    assert send(client, request, act="decide", choice="approve").status_code == 403
    assert client.get(f"{page_of(request)}?act=decide&choice=approve").status_code == 200
    assert not Vote.objects.exists()


def test_content_that_changed_meanwhile_is_shown_before_it_is_decided() -> None:
    request, client = scenes.asked(), client_of("approver")
    resubmit(
        request_id=str(request),
        actor=actor(account("olga", "operator")),
        context={**scenes.CONTEXT, "service": "payments"},
    )
    answer = send(client, request, act="decide", choice="approve", comment="kept")
    shown = answer.content.decode()
    assert answer.status_code == 409 and "hat is asked has changed since it was shown" in shown
    assert "payments" in shown and 'class="plus"' in shown and "kept" in shown
    request.refresh_from_db()
    assert send(client, request, act="decide", choice="approve").status_code == 302
    assert Vote.objects.get().content_hash == request.content_hash


def test_a_value_that_somebody_else_edited_is_not_overwritten_unseen() -> None:
    scenes.chain_of_two(editable=["context.limits.cpu"])
    request, client = scenes.asked(approvers=(), policy="two"), client_of("approver")
    form, edit = {"act": "decide", "choice": "approve", "seen": request.shown_hash}, "edit:context.limits.cpu"
    bad = send(client, request, **form, **{edit: "many"}).content.decode()
    assert "is not a number" in bad and 'value="many"' in bad
    says("bob", "approve", request, edits={"context.limits.cpu": 8})
    late = send(client, request, **form, **{edit: "6"})
    assert late.status_code == 409 and "has changed since it was shown" in late.content.decode()
    assert edit not in late.content.decode(), "what bob has said yes to can be edited no more"
    request.refresh_from_db()
    assert send(client, request, **(form | {"seen": request.shown_hash})).status_code == 302
    request.refresh_from_db()
    assert request.edits == {"context.limits.cpu": 8} and request.stage == "deployment"


def test_after_the_deadline_it_is_gone() -> None:
    request, client = scenes.asked(timeout_seconds=60), client_of("approver")
    state = {**request.state, "clock_from": (now() - timedelta(hours=1)).isoformat()}
    Request.objects.filter(pk=request.pk).update(state=state, expires_at=now() - timedelta(minutes=59))
    assert "approve" not in offered(client, request), "though no alarm has rung yet"
    answer = send(client, request, act="decide", choice="approve")
    assert answer.status_code == 410 and "obody decided in time" in answer.content.decode()
    assert "It is expired" in answer.content.decode() and not Vote.objects.exists()


def test_questions_answers_handing_on_and_withdrawing() -> None:
    request, mine, hers = scenes.asked(), client_of("approver"), client_of("olga")
    assert send(mine, request, act="remark", kind="question", text="Is it <b>backed up</b>?").status_code == 302
    assert send(hers, request, act="remark", kind="answer", text="Since Monday.").status_code == 302
    assert send(hers, request, act="remark", kind="answer", text="a\0b").status_code == 422
    shown = mine.get(page_of(request)).content.decode()
    assert "Is it &lt;b&gt;backed up&lt;/b&gt;?" in shown and "Since Monday." in shown
    lost = send(mine, request, act="hand-on", to="nobody-there", note="away")
    assert lost.status_code == 422 and 'value="nobody-there"' in lost.content.decode()
    assert send(mine, request, act="hand-on", to="carol", note="away").status_code == 302
    assert request.title in client_of("carol").get(INBOX).content.decode()
    assert request.title not in mine.get(INBOX).content.decode()
    assert send(client_of("viewer"), request, act="withdraw").status_code == 403
    assert send(hers, request, act="withdraw", note="not needed").status_code == 302
    assert AuditEvent.objects.get(action="approval.withdraw").door == "admin"
    assert "withdrawn" in mine.get(page_of(request)).content.decode()


def test_whoever_asked_reminds_once_in_a_while() -> None:
    request, hers = scenes.asked(), client_of("olga")
    assert send(client_of("approver"), request, act="remind").status_code == 403
    assert send(hers, request, act="remind", note="before ten").status_code == 302
    assert AuditEvent.objects.get(action="approval.remind").door == "admin"
    assert (
        "remind" not in offered(hers, request)
        and "reminded those who have not decided" in hers.get(page_of(request)).content.decode()
    )
    again = send(hers, request, act="remind")
    assert again.status_code == 429 and "reminded a moment ago" in again.content.decode()


def test_changes_are_asked_for_and_made() -> None:
    request, mine, hers = scenes.asked(), client_of("approver"), client_of("olga")
    assert send(mine, request, act="decide", choice="request-changes", comment="say when").status_code == 302
    assert "resubmit" in offered(hers, request) and "resubmit" not in offered(mine, request)
    assert send(hers, request, act="resubmit", description="Tonight at ten.", note="said when").status_code == 302
    request.refresh_from_db()
    assert (request.status, request.round) == ("pending", 2)
    assert "What has changed since" in mine.get(page_of(request)).content.decode()


def test_a_yes_is_taken_back_by_whoever_gave_it() -> None:
    request, mine = scenes.asked(), client_of("approver")
    send(mine, request, act="decide", choice="approve")
    assert "revoke" in offered(mine, request) and "revoke" not in offered(client_of("carol"), request)
    assert send(mine, request, act="revoke", note="wrong one").status_code == 302
    request.refresh_from_db()
    assert request.status == "withdrawn" and "revoke" not in offered(mine, request)


def test_a_stuck_request_is_for_an_administrator() -> None:
    request, admin = scenes.asked(approvers=("approver",)), client_of("administrator")
    send(client_of("approver"), request, act="decide", choice="abstain")
    request.refresh_from_db()
    assert request.status == "rescue"
    assert request.title in admin.get(f"{INBOX}?tab=rescue").content.decode()
    assert "name-people" in offered(admin, request) and "name-people" not in offered(client_of("operator"), request)
    assert send(admin, request, act="name-people", users="viewer").status_code == 403
    assert send(admin, request, act="name-people", users="bob, carol").status_code == 302
    assert request.title in client_of("carol").get(INBOX).content.decode()


def test_whoever_stands_in_decides_for_the_one_who_is_away() -> None:
    bob, carol = account("bob"), account("carol")
    request, client = scenes.asked(approvers=("bob",)), client_of("carol")
    assert offered(client, request) == {"remark"}
    start, end = now() - timedelta(minutes=1), now() + timedelta(days=1)
    delegate_while_away(actor=actor(bob), owner=bob, to=carol, starts_at=start, ends_at=end)
    assert "You decide for bob" in client.get(page_of(request)).content.decode()
    assert request.title in client.get(INBOX).content.decode()
    assert send(client, request, act="decide", choice="approve").status_code == 302
    vote = Vote.objects.get()
    assert (vote.name, vote.owner, vote.delegation) == ("carol", f"user:{bob.pk}", Delegation.objects.get())


def test_the_inbox_is_searched_filtered_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "ON_A_PAGE", 5)
    client = client_of("approver")
    assert "All done" in client.get(INBOX).content.decode()
    for number in range(7):
        stage = "certificates" if number % 2 else "deployment"
        scenes.asked(f"Certificate {number}", stage=stage, about=f"run-{number}", context={})
    first = client.get(INBOX).content.decode()
    assert picks(first) == 5 and "of 7" in first and "Certificate 6" not in first
    assert picks(client.get(f"{INBOX}?page=2").content.decode()) == 2
    assert picks(client.get(f"{INBOX}?page=nine").content.decode()) == 5
    found = client.get(f"{INBOX}?q=certificate 4").content.decode()
    assert picks(found) == 1 and "run-4" in found
    assert picks(client.get(f"{INBOX}?stage=certificates").content.decode()) == 3
    assert picks(client.get(f"{INBOX}?about=run-3").content.decode()) == 1
    assert "Nothing matches" in client.get(f"{INBOX}?q=nowhere\0&tab=what").content.decode()
    index = client.get("/admin/", follow=True).content.decode()
    assert "7 requests wait for you" in index and index.count('class="name"') == 5
    operator = client_of("operator").get(f"{INBOX}?tab=open").content.decode()
    assert picks(operator) == 0 and "of 7" in operator
    assert client.get(f"{INBOX}?tab=undelivered").status_code == client.get(f"{INBOX}?tab=decided").status_code == 200


def picks(shown: str) -> int:
    return shown.count('type="checkbox" name="pick"')


def test_bulk_says_what_was_wrong_with_the_whole_of_it() -> None:
    request, client = scenes.asked(), client_of("approver")
    for form in ({}, {"pick": request.pk}, {"choice": "approve", "pick": "x"}):
        assert client.post(f"{INBOX}bulk/", form).status_code == 302
    shown = client.post(f"{INBOX}bulk/", {"pick": [request.pk, 4711], "choice": "reject"}).content.decode()
    assert "1 of 1 refused" in shown and "reject needs a comment" in shown
    assert f'name="pick" value="{request.pk}"' in shown and "Retry the refused: reject" in shown
    other = client.post(f"{INBOX}bulk/", {"pick": request.pk, "choice": "approve", f"seen:{request.pk}": "0" * 64})
    assert "has changed since it was shown" in other.content.decode() and not Vote.objects.exists()


def test_a_bulk_yes_is_to_what_its_page_has_shown() -> None:
    hidden = scenes.asked("Tidy up", description="Delete the production database.")
    long, client = scenes.asked("A long one", description="word " * 4000), client_of("approver")
    inbox = client.get(INBOX).content.decode()
    assert "production database" not in inbox and f"seen:{hidden.pk}" not in inbox
    form = {"pick": [hidden.pk, long.pk], "choice": "approve", f"listed:{hidden.pk}": hidden.shown_hash}
    shown = client.post(f"{INBOX}bulk/", form).content.decode()
    assert "Delete the production database." in shown and f'name="seen:{hidden.pk}"' in shown
    assert f'name="pick" value="{long.pk}"' not in shown and "too long to be shown here" in shown
    assert not Vote.objects.exists()
    client.post(f"{INBOX}bulk/", {"pick": hidden.pk, "choice": "approve", f"seen:{hidden.pk}": hidden.shown_hash})
    assert Vote.objects.get().content_hash == hidden.shown_hash


def test_an_address_of_nothing_leads_back() -> None:
    client = client_of("approver")
    for place in ("4711/change/", "x/change/", "4711/plain/content/"):
        assert client.get(f"/admin/approvals/request/{place}").status_code == 302, place
    request = scenes.asked()
    assert client.get(f"{INBOX}next/").headers["Location"] == page_of(request)
    assert client.get(f"{INBOX}next/?after={request.pk}").headers["Location"] == INBOX
    assert send(client, request, act="dance").status_code == 422
    assert client.get("/admin/approvals/request/").status_code == 200

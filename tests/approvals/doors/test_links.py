"""Links of one's own: looking decides nothing, pressing does, once, for one person and one question."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from approvals.external_flow import APPROVAL
from approvals.models import Link, Request, Vote
from approvals.requests import Ask, ask, decide, publish_policy, withdraw
from approvals.requests.messages.links import link_for, signed
from foundation.clock import now
from notifications.delivery.envelopes import envelope_of
from notifications.models import Delivery
from tests.approvals.admin.test_shown_whole import HIDDEN
from tests.approvals.later import after
from tests.system.contract.cast import account, actor, says
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def by_address(settings: Settings) -> None:
    settings.ZEN_APPROVERS_BY_ADDRESS = True


def asked(*approvers: str, **more: Any) -> Request:
    given = {"stage": "s", "description": "May we?", "approvers": approvers or ("eve@example.com",), **more}
    request, _ = ask(given=Ask(**given), actor=ADA, engine="celery")
    return request


def link_of(request: Request) -> str:
    """The path that the mail to eve holds."""
    url = signed(link_for(request, "email:eve@example.com", stage=0))
    return url.removeprefix("http://localhost:8000")


def press(path: str, decision: str, **more: Any) -> Any:
    return opened(path)(decision, **more)


def opened(path: str) -> Any:
    """A page that stands open, to be pressed on later."""
    client = Client(enforce_csrf_checks=True)
    page = client.get(path)
    token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page.content)
    seen = re.search(rb'name="seen" value="([0-9a-f]+)"', page.content)
    body = {"csrfmiddlewaretoken": token[1].decode() if token else "", "seen": seen[1].decode() if seen else ""}
    return lambda decision, **more: client.post(path, body | {"decision": decision, **more})


def test_its_page_shows_all_of_what_a_yes_would_be_to() -> None:
    short = Client().get(link_of(asked(description="Spend **9**?"))).content.decode()
    assert "<strong>9</strong>" in short
    long = Client().get(link_of(asked(description=f"{'word ' * 2500}**and the last of it**"))).content.decode()
    assert "**and the last of it**" in long, "longer than Markdown is parsed, and not cut"


@pytest.mark.parametrize("text", HIDDEN)
def test_its_page_hides_nothing_that_markdown_swallows(text: str) -> None:
    page = Client().get(link_of(asked(description=text, title="t"))).content.decode()
    assert "SECRETPART" in page and 'value="approve"' in page


@pytest.mark.parametrize("part", ["context", "action"])
def test_what_its_page_has_to_cut_is_one_press_away(part: str) -> None:
    request = asked(**{part: {"pad": "x" * 100_000, "zz": "<b>SECRETPART\u202e"}})
    path = link_of(request)
    page = Client().get(path).content.decode()
    assert "SECRETPART" not in page and "This is not all of it." in page and 'href="?whole"' in page
    whole = Client().get(f"{path}?whole")
    assert "<b>SECRETPART\\u202e" in whole.content.decode() and whole["Content-Type"].startswith("text/plain")
    assert "sandbox" in whole["Content-Security-Policy"] and whole["X-Robots-Tag"] == "noindex"
    assert Link.objects.get().used_at is None
    press(path, "approve")
    gone = Client().get(f"{path}?whole")
    assert gone.status_code == 410 and b"SECRETPART" not in gone.content


def test_what_fits_on_its_page_is_all_of_it() -> None:
    page = Client().get(link_of(asked(context={"n": 1}, action={"script": "ls"}))).content.decode()
    assert "This is not all of it." not in page and "What your approval allows" in page


def test_the_mail_holds_the_link_and_no_row_holds_its_token() -> None:
    request = asked()
    row = Delivery.objects.get()
    parcel = envelope_of(row)
    assert parcel is not None and parcel.items[0].url.endswith(link_of(request))
    token = link_of(request).split("/")[-2]
    assert token not in row.url and token.split(".")[1] not in str(Link.objects.values())


def test_a_link_that_was_stored_under_another_port_is_sent_with_the_one_of_now(settings: Settings) -> None:
    stored = link_for(asked(), "email:eve@example.com", stage=0)
    settings.ZEN_PUBLIC_URL = "http://127.0.0.1:8124"
    sent = signed(stored)
    assert sent.startswith("http://127.0.0.1:8124/approvals/link/")
    assert Client().get(sent.removeprefix("http://127.0.0.1:8124")).status_code == 200
    assert signed("https://example.com/approvals/") == "https://example.com/approvals/"


@pytest.mark.parametrize("method", ["get", "head", "options", "put"])
def test_looking_decides_nothing(method: str) -> None:
    request = asked()
    for _ in range(3):
        getattr(Client(), method)(link_of(request) + "?decision=approve")
    assert not Vote.objects.exists() and Link.objects.get().used_at is None


def test_the_page_keeps_its_address_to_itself() -> None:
    answer = Client().get(link_of(asked()))
    assert answer["Referrer-Policy"] == "same-origin" and "no-store" in answer["Cache-Control"]
    assert b"<script" not in answer.content and b"May we?" in answer.content


def test_a_press_decides_once() -> None:
    request = asked()
    path = link_of(request)
    one_tab, another = opened(path), opened(path)
    assert one_tab("approve").status_code == 200
    vote = Vote.objects.get()
    assert (vote.choice, vote.door, vote.strength, vote.person) == ("approve", "link", "link", "email:eve@example.com")
    again = another("reject", comment="no")
    assert again.status_code == 410 and b"was used at" in again.content and Vote.objects.count() == 1


def test_a_yes_among_several_is_not_called_the_decision() -> None:
    pressed = press(link_of(asked("eve@example.com", "mia@example.com", how_many="all")), "approve").content.decode()
    assert "Your approval is recorded" in pressed and "others still decide" in pressed and "Approved" not in pressed
    assert "<h1>Approved</h1>" in press(link_of(asked()), "approve").content.decode()


def test_a_press_without_its_form_is_refused() -> None:
    path = link_of(asked())
    assert Client(enforce_csrf_checks=True).post(path, {"decision": "approve"}).status_code == 403
    assert not Vote.objects.exists()


def test_a_no_without_a_reason_is_asked_again_and_keeps_the_link() -> None:
    path = link_of(asked())
    refused = press(path, "reject")
    assert refused.status_code == 422 and b"needs a comment" in refused.content
    assert press(path, "reject", comment="too early").status_code == 200


@pytest.mark.parametrize("token", ["x", "0" * 36 + "." + "0" * 64, "..", "a" * 400])
def test_a_token_that_is_not_ours(token: str) -> None:
    asked()
    assert Client().get(f"/approvals/link/{token}/").status_code == 404


def test_one_persons_link_is_not_anothers() -> None:
    request = asked("eve@example.com", "mia@example.com")
    mine, theirs = (signed(link_for(request, f"email:{who}@example.com", stage=0)) for who in ("eve", "mia"))
    forged = mine.split(".")[0] + "." + theirs.rsplit(".", 1)[1]
    assert Client().get(forged.removeprefix("http://localhost:8000")).status_code == 404


def test_what_is_over_says_who_and_when() -> None:
    account("bob")
    request = asked("eve@example.com", "bob")
    path = link_of(request)
    says("bob", "reject", request, "no")
    answer = Client().get(path)
    assert answer.status_code == 410 and b"rejected already by bob" in answer.content
    other = asked()
    withdraw(request_id=other.request_id, actor=ADA)
    assert Client().get(link_of(other)).status_code == 410


def test_a_request_page_asks_to_sign_in_and_shows_nothing_before() -> None:
    request = asked()
    there, nowhere = (Client().get(f"/approvals/{handle}/") for handle in (request.request_id, "none"))
    assert there.status_code == nowhere.status_code == 302 and "login" in there["Location"]


def test_hostile_words_do_nothing() -> None:
    request = asked(context={"x": "<script>alert(1)</script>\u202e"}, title="<img src=x onerror=alert(1)>")
    content = Client().get(link_of(request)).content.decode()
    assert "<script" not in content and "<img" not in content and "\u202e" not in content


def test_a_link_is_no_way_around_the_seats() -> None:
    user = account("bob")
    request = asked("eve@example.com")
    with pytest.raises(Exception, match="not among those who decide"):
        decide(request_id=str(request), actor=actor(user), person=_person(user), choice="approve")


def _person(user: Any) -> Any:
    from approvals.policies.principals import person_of

    return person_of(user)


def test_a_form_is_filled_in_at_the_link() -> None:
    form = [{"name": "ticket", "label": "Change <ticket>"}, {"name": "why", "on": ["reject"]}]
    who = {"emails": ["eve@example.com"]}
    publish_policy(data={"policy": "f", "stages": [{"name": "s", "who": who, "form": form}]}, actor=ADA)
    request, _ = ask(given=Ask(stage="s", description="May we?", policy="f"), actor=ADA, engine="celery")
    press_it = opened(link_of(request))
    page = Client().get(link_of(request)).content.decode()
    assert 'name="answers.ticket"' in page and "Change &lt;ticket&gt;" in page and 'name="answers.why"' in page
    refused = press_it("approve", **{"answers.ticket": "", "answers.why": "kept"})
    assert refused.status_code == 422 and 'value="kept"' in refused.content.decode()
    assert press_it("approve", **{"answers.ticket": "CHG-1", "answers.why": "of no use"}).status_code == 200
    assert Vote.objects.get().answers == {"ticket": "CHG-1"}


def test_where_a_deadline_only_hands_it_on_the_link_still_opens() -> None:
    """What is held may still be decided by those who were asked."""
    stage = {"name": "s", "who": {"emails": ["eve@example.com"]}, "expire": "1h", "at_the_end": "hold"}
    publish_policy(data={"policy": "p", "stages": [stage]}, actor=ADA)
    request, _ = ask(given=Ask(stage="s", policy="p", description="?"), actor=ADA, engine="celery")
    path = link_of(request)
    with after(hours=2):
        APPROVAL.on_timer(request.run_id, now())
        request.refresh_from_db()
        assert request.status == "rescue"
        assert press(path, "approve").status_code == 200
    request.refresh_from_db()
    assert request.status == "approved"


def test_a_yes_that_nobody_objected_to_is_no_silence() -> None:
    """Though the alarm has not rung yet."""
    account("bob")
    stage = {"name": "s", "who": {"emails": ["eve@example.com"], "users": ["bob"]}}
    publish_policy(data={"policy": "p", "cooling_off": "10m", "stages": [stage]}, actor=ADA)
    request, _ = ask(given=Ask(stage="s", policy="p", description="?"), actor=ADA, engine="celery")
    path = link_of(request)
    says("bob", "approve", request)
    with after(minutes=11):
        page = Client().get(path)
    assert page.status_code == 410 and b"It is approved: nobody has objected in time." in page.content

"""People find, read and decide requests in Chromium."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.test import Client
from playwright.sync_api import expect
from pytest_django import Settings

from approvals.models import Request, Vote
from approvals.policies.principals import person_of
from approvals.requests import remark
from approvals.requests.messages.links import link_for, signed
from tests.approvals.admin import scenes
from tests.approvals.admin.decider import (
    DESK,
    PHONE,
    ask,
    choose,
    faults_of,
    is_narrow,
    open_inbox,
    send,
    shows,
    status_is,
)
from tests.approvals.admin.test_hostile import CONTEXT, EVIL, MARKED, PIXEL
from tests.orchestration.admin.visitor import Visitor
from tests.support.peer import Peer
from tests.system.contract.cast import account, actor, says
from tests.system.contract.hosts import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_request_is_found_and_approved_on_a_phone(visitor: Visitor, engine: str, peer: Peer) -> None:
    scenes.cast()
    visitor.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    visitor.log_in("approver")
    run, request = scenes.waiting_run(peer)
    later = scenes.asked("Rotate the certificates")
    page = open_inbox(visitor)
    assert is_narrow(page)
    page.get_by_role("link", name="Deploy web 2.4?").click()
    shows(page, f"Run {run} rolls back and undoes, in this order: build.")
    shows(page, f"Step 'deploy' of run {run} is performed: POST {peer.url}/things/deploy.")
    expect(page.get_by_role("button", name="Send:")).to_have_count(0)
    choose(page, "Approve")
    expect(page.get_by_role("button", name="Send: approve")).to_be_in_viewport()
    assert is_narrow(page)
    send(page)
    shows(page, f"You approved “Deploy web 2.4?” for {run}.")
    shows(page, f"The next one that waits for you: “Rotate the certificates” ({later.request_id}).")
    expect(page).to_have_url(f"{visitor.site}/admin/approvals/request/{later.pk}/change/")
    assert until(run).status == "completed" and "/things/deploy" in peer.things
    vote = Vote.objects.get()
    assert (vote.door, vote.strength, vote.content_hash) == ("admin", "session", request.content_hash)
    assert vote.evidence["address"] == "127.0.0.1" and "Chrome" in vote.evidence["client"]


def test_a_form_is_filled_in_on_a_phone(visitor: Visitor, transactional_db: None) -> None:
    scenes.cast()
    visitor.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    visitor.log_in("approver")
    risk = {"name": "risk", "type": "choice", "choices": ["low", "high"], "on": ["approve", "reject"]}
    scenes.chain_of_two(form=[{"name": "ticket", "label": "Change ticket"}, risk], how_many="any")
    request = scenes.asked(approvers=(), policy="two")
    page = ask(visitor, request)
    choose(page, "Reject")
    expect(page.get_by_label("Change ticket")).to_be_hidden()
    expect(page.get_by_label("Risk")).to_be_visible()
    choose(page, "Approve")
    page.get_by_label("Risk").select_option("low")
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("'Change ticket' has to be answered to approve")
    expect(page.get_by_label("Change ticket")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Risk")).to_have_value("low")
    assert is_narrow(page) and faults_of(page) == []
    page.get_by_label("Change ticket").fill("CHG-1")
    send(page)
    shows(page, "Nothing else waits for you.")
    assert Vote.objects.get().answers == {"ticket": "CHG-1", "risk": "low"}
    ask(visitor, request)
    shows(page, "ticket: CHG-1")


def test_a_no_without_its_reason_keeps_what_was_typed(visitor: Visitor, transactional_db: None) -> None:
    scenes.cast()
    visitor.log_in("approver")
    scenes.chain_of_two(editable=["context.service"], must_comment_on=["reject", "approve"])
    request = scenes.asked(approvers=(), policy="two")
    page = ask(visitor, request)
    choose(page, "Approve")
    page.get_by_label("context.service").fill("web-next")
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("Approve needs a comment here")
    expect(page.get_by_label("Comment")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("context.service")).to_have_value("web-next")
    choose(page, "Reject")
    expect(page.get_by_label("context.service")).to_be_hidden()
    page.get_by_label("Comment").fill("  ")
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("Reject needs a comment here")
    status_is(request, "pending")
    page.get_by_label("Comment").fill("not on a Friday")
    send(page)
    shows(page, "Nothing else waits for you.")
    status_is(request, "rejected")
    assert Vote.objects.get().comment == "not on a Friday"


def test_somebody_was_first(visitor: Visitor, transactional_db: None) -> None:
    scenes.cast()
    visitor.log_in("approver")
    request = scenes.asked()
    page = ask(visitor, request)
    says("bob", "approve", request, "looks good")
    choose(page, "Reject")
    page.get_by_label("Comment").fill("too late")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        send(page)
    assert answered.value.status == 409
    told = page.get_by_role("alert")
    expect(told).to_contain_text("It is approved already by bob")
    expect(told).to_contain_text("looks good")
    expect(page.get_by_role("button", name="Send:")).to_have_count(0)
    assert Vote.objects.count() == 1


def test_several_are_decided_at_once_each_by_itself(visitor: Visitor, transactional_db: None) -> None:
    scenes.cast()
    visitor.log_in("approver")
    requests = [scenes.asked(f"Rotate certificate {number}") for number in range(3)]
    page = open_inbox(visitor)
    expect(page.locator(".bulkbar")).to_be_hidden()
    page.get_by_label("Select all on this page").check()
    expect(page.locator("[data-picked]")).to_have_text("(3)")
    choose(page, "Approve")
    page.get_by_label("Comment").fill("as every year")
    page.get_by_role("button", name="Decide the selected").click()
    shows(page, "What you would approve")
    assert not Vote.objects.exists(), "a line of the inbox shows no content"
    assert faults_of(page) == []
    says("bob", "reject", requests[1], "this one is revoked")
    page.get_by_role("button", name="Approve what is selected").click()
    shows(page, "1 of 3 refused")
    refused = page.locator(".results .item", has_text="Rotate certificate 1")
    expect(refused).to_contain_text("refused: it is rejected already by bob")
    expect(page.locator(".results .item", has_text="recorded: approve")).to_have_count(2)
    found = {one.title: one.status for one in Request.objects.all()}
    assert list(found.values()).count("approved") == 2 and found["Rotate certificate 1"] == "rejected"
    mine = Vote.objects.filter(user__username="approver")
    assert {(vote.comment, vote.evidence["bulk"]) for vote in mine} == {("as every year", True)}


def test_keys_choose_and_only_the_button_sends(visitor: Visitor, transactional_db: None) -> None:
    scenes.cast()
    visitor.log_in("approver")
    first, second = scenes.asked("First", timeout_seconds=600), scenes.asked("Second", timeout_seconds=900)
    page = ask(visitor, first)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Send:")).to_have_count(0)
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Send: approve")).to_be_focused()
    page.keyboard.press("c")
    expect(page.get_by_role("button", name="Send: request changes")).to_be_focused()
    page.keyboard.press("r")
    expect(page.get_by_label("Comment")).to_be_focused()
    page.keyboard.type("arena")
    expect(page.get_by_label("Comment")).to_have_value("arena")
    status_is(first, "pending")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    shows(page, "You rejected “First” (")
    status_is(first, "rejected")
    expect(page.get_by_role("heading", name="Second")).to_be_visible()
    page.keyboard.press("/")
    expect(page).to_have_url(f"{visitor.site}/admin/approvals/request/inbox/")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="Second")).to_be_visible()
    status_is(second, "pending")


def test_nobody_is_shut_out(visitor: Visitor, transactional_db: None) -> None:
    """axe-core on both pages, wide and narrow, light and dark."""
    scenes.cast()
    visitor.log_in("approver")
    scenes.chain_of_two(editable=["context.service"])
    request = scenes.asked(approvers=(), policy="two")
    says("bob", "approve", request, "fine")
    scenes.asked("Second")
    page = visitor.page
    for size in (DESK, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        open_inbox(visitor)
        page.get_by_role("checkbox").first.check()
        choose(page, "Reject")
        assert faults_of(page) == [], f"inbox, {size}"
        ask(visitor, request)
        choose(page, "Approve")
        assert faults_of(page) == [], f"request, {size}"
    assert Client().get("/admin/approvals/request/inbox/").status_code == 302, "only for those who are logged in"


def test_hostile_content_is_only_shown(visitor: Visitor, transactional_db: None) -> None:
    """The page's own fixture fails the test for whatever is asked of another host."""
    scenes.cast()
    visitor.log_in("approver")
    visitor.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    bob = account("bob")
    request = scenes.asked(EVIL[:300], description=MARKED, context=CONTEXT, facts={"evil": EVIL})
    remark(request_id=str(request), actor=actor(bob), person=person_of(bob), kind="question", text=EVIL)
    for page in (open_inbox(visitor), ask(visitor, request)):
        assert page.evaluate("window.taken") is None
        assert is_narrow(page)
        assert not set("\u202e\u2066\u200b\ufeff") & set(page.locator("#main").inner_text())
    addresses = page.locator(".story a").evaluate_all("found => found.map(link => link.protocol)")
    assert set(addresses) <= {"http:", "https:"}
    assert page.locator(".story img").evaluate_all("found => found.map(one => one.src)") == [PIXEL]
    expect(page.get_by_text("(evil.example: https://bank.example@evil.example/login)").first).to_be_visible()
    expect(page.get_by_text("\\u202e000").first).to_be_visible()
    rels = page.locator('.story a[href^="https"]').evaluate_all("found => found.map(link => link.rel)")
    assert rels and all({"noopener", "nofollow"} <= set(rel.split()) for rel in rels)


def test_a_link_of_ones_own_decides_in_a_browser(visitor: Visitor, transactional_db: None, settings: Settings) -> None:
    settings.ZEN_APPROVERS_BY_ADDRESS = True
    scenes.cast()
    visitor.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    request = scenes.asked("Let us in?", approvers=("eve@example.com",))
    path = urlsplit(signed(link_for(request, "email:eve@example.com", stage=0))).path
    visitor.page.goto(visitor.site + path)
    shows(visitor.page, "On a no")
    shows(visitor.page, "If nobody decides in time, it counts as a no.")
    assert is_narrow(visitor.page) and faults_of(visitor.page) == []
    visitor.page.get_by_role("button", name="Approve").click()
    expect(visitor.page.get_by_role("heading", name="Approved")).to_be_visible()
    status_is(request, "approved")
    assert Vote.objects.get().door == "link"
    visitor.page.goto(visitor.site + path)
    shows(visitor.page, "This link was used at")

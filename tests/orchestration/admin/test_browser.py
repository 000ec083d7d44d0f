"""A person drives the pages in Chromium."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from orchestration.models import AuditEvent, Run
from tests.contract.hosts import until
from tests.orchestration.admin import scenes
from tests.orchestration.admin.visitor import Visitor
from tests.peer import Peer

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_waiting_run_is_aborted_after_its_preview(visitor: Visitor, engine: str, peer: Peer) -> None:
    run, page = scenes.waiting(peer), visitor.page
    visitor.log_in("operator")
    visitor.open("run/")
    page.get_by_role("link", name="order-waits").click()
    expect(page.get_by_text("step 'cool' waits; next at")).to_be_visible()
    expect(page.locator("svg[role=img] title", has_text="cool")).to_have_count(1)
    expect(page.get_by_role("cell", name="step.succeeded").first).to_be_visible()
    page.get_by_role("link", name="abort").click()
    expect(page.get_by_text("wave 1: undo charge")).to_be_visible()
    expect(page.get_by_text("wave 2: undo reserve")).to_be_visible()
    assert Run.objects.get(pk=run.pk).status == "waiting", "a preview changes nothing"
    page.get_by_label("note").fill("the customer called")
    page.get_by_role("button", name="abort").click()
    until(run)
    visitor.open_run(run)
    expect(page.locator(".title .badge")).to_have_text("rolled_back")
    audited = AuditEvent.objects.get(action="run.abort")
    assert (audited.actor, audited.door, audited.note) == ("operator", "admin", "the customer called")
    assert peer.methods("DELETE") == ["/things/charge", "/things/reserve"] and peer.things == {}

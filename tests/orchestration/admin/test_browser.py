"""A person drives the pages in Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import expect

from foundation.models import AuditEvent
from orchestration.core.enums import Verb
from orchestration.models import Definition, Run
from orchestration.runs import act
from tests.orchestration.admin import scenes
from tests.orchestration.admin.visitor import Visitor
from tests.support.peer import Peer
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ORDER = Path(settings.BASE_DIR) / "examples" / "order.yaml"


def test_a_waiting_run_is_aborted_after_its_preview(visitor: Visitor, engine: str, peer: Peer) -> None:
    run, page = scenes.waiting(peer), visitor.page
    visitor.log_in("operator")
    visitor.open("run/")
    page.get_by_role("link", name="order-waits").click()
    expect(page.get_by_text("step 'cool' waits; next at")).to_be_visible()
    expect(page.get_by_role("cell", name="step.succeeded").first).to_be_visible()
    page.get_by_role("link", name="abort").click()
    expect(page.get_by_text("wave 1: undo charge")).to_be_visible()
    expect(page.get_by_text("wave 2: undo reserve")).to_be_visible()
    assert Run.objects.get(pk=run.pk).status == "waiting", "a preview changes nothing"
    page.get_by_label("Note").fill("the customer called")
    page.get_by_role("button", name="abort").click()
    expect(page.locator(".title .badge")).to_have_text("rolled_back")
    audited = AuditEvent.objects.get(action="run.abort")
    assert (audited.actor, audited.door, audited.note) == ("operator", "admin", "the customer called")
    assert peer.methods("DELETE") == ["/things/charge", "/things/reserve"] and peer.things == {}


def test_the_page_of_a_live_run_follows_it(visitor: Visitor, engine: str, peer: Peer) -> None:
    run, page = scenes.waiting(peer), visitor.page
    visitor.log_in("viewer")
    visitor.open_run(run)
    page.evaluate("window.loadedOnce = true")
    act(workflow_id=run.workflow_id, verb=Verb.SKIP, step_id="cool", actor=ADA)
    expect(page.locator(".title .badge")).to_have_text("completed")
    assert page.evaluate("window.loadedOnce"), "without another page load"


def test_four_columns_are_whole_on_a_common_screen(visitor: Visitor, engine: str, peer: Peer) -> None:
    run, page = scenes.completed(peer), visitor.page
    visitor.log_in("viewer")
    for width in (1400, 1280, 1100):
        page.set_viewport_size({"width": width, "height": 900})
        visitor.open_run(run)
        frame = page.locator(".graph")
        assert frame.evaluate("it => it.scrollWidth <= it.clientWidth"), width
        last, around = page.locator("[data-step=notify]").bounding_box(), frame.bounding_box()
        assert last and around and last["x"] + last["width"] <= around["x"] + around["width"], width
    page.set_viewport_size({"width": 400, "height": 900})
    assert frame.evaluate("it => it.scrollWidth > it.clientWidth"), "a phone scrolls; it would be too small to read"


def test_the_graph_tells_states_without_colour(visitor: Visitor, engine: str, peer: Peer) -> None:
    run, page = scenes.needing_attention(peer), visitor.page
    visitor.log_in("viewer")
    visitor.open_run(run)
    for step_id, forward, undo in (
        ("reserve", "succeeded", "undo pending"),
        ("charge", "succeeded", "undo failed"),
        ("label", "succeeded", "compensated"),
        ("ship", "failed", "has an undo"),
        ("notify", "pending", "no undo"),
    ):
        box = page.locator(f'[data-step="{step_id}"]')
        assert box.locator("text").all_text_contents() == [step_id, forward, undo]
        icons = box.locator("use").evaluate_all("found => found.map(use => use.getAttribute('href'))")
        assert len(icons) == 2 and all(page.locator(icon).count() == 1 for icon in icons), step_id
    dashes = "found => found.map(edge => getComputedStyle(edge).strokeDasharray)"
    assert set(page.locator(".graph path.edge:not(.undo)").evaluate_all(dashes)) == {"none"}
    assert page.locator(".graph path.edge.undo").evaluate_all(dashes) == ["5px, 4px"] * 4
    expect(page.locator(".legend")).to_contain_text("forward")


def test_a_definition_is_checked_and_published_with_its_matrix(visitor: Visitor, transactional_db: None) -> None:
    page, text = visitor.page, ORDER.read_text(encoding="utf-8")
    visitor.log_in("operator")
    visitor.open("definition/")
    page.get_by_role("link", name="Add").first.click()
    page.get_by_label("Definition").fill(text.replace("dependencies: [charge, label]", "dependencies: [charge, lable]"))
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("'lable'")).to_be_visible()
    page.get_by_label("Definition").fill(text)
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("order: valid, 4 steps")).to_be_visible()
    assert not Definition.objects.exists(), "a check stores nothing"
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("order v1 is published")).to_be_visible()
    row = page.locator("#matrix tbody tr", has_text="fails").last
    expect(row).to_contain_text("rolled_back")
    expect(row).to_contain_text("charge, label → reserve")
    lost = page.locator("#matrix tbody tr", has_text="times out").last
    expect(lost).to_contain_text("Needs attention")
    expect(lost).to_contain_text("reserve, charge, label, ship")
    assert AuditEvent.objects.get(action="definition.publish").door == "admin"
    visitor.open("definition/add/")
    page.get_by_label("Definition").fill(text)
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("order v1 is there already")).to_be_visible()
    assert Definition.objects.count() == 1


def test_a_failed_compensation_is_answered_with_an_alternative(visitor: Visitor, engine: str, peer: Peer) -> None:
    run, page = scenes.needing_attention(peer), visitor.page
    visitor.log_in("operator")
    visitor.open_run(run)
    page.get_by_role("link", name="resolve charge").click()
    expect(page.get_by_text("answered 403")).to_be_visible()
    page.get_by_label("alternative:").check()
    page.get_by_label("Note").fill("refunded through the other door")
    page.get_by_label("Action").fill("type: api_cal")
    page.get_by_role("button", name="resolve charge").click()
    expect(page.get_by_text("step 'charge', action.type")).to_be_visible()
    expect(page.get_by_label("Note")).to_have_value("refunded through the other door")
    assert Run.objects.get(pk=run.pk).status == "needs_attention"
    page.get_by_label("Action").fill(f"type: api_call\nmethod: POST\nurl: {peer.url}/things/refund\n")
    page.get_by_role("button", name="resolve charge").click()
    expect(page.locator(".title .badge")).to_have_text("rolled_back")
    expect(page.get_by_text("step 'charge' was undone by an alternative")).to_be_visible()
    assert "/things/refund" in peer.methods("POST")
    until(run)


def test_what_is_no_longer_legal_is_refused_with_the_reason(visitor: Visitor, engine: str, peer: Peer) -> None:
    run, page = scenes.waiting(peer), visitor.page
    visitor.log_in("operator")
    visitor.open(f"run/{run.pk}/act/hold/")
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    until(run)
    page.get_by_role("button", name="hold").click()
    expect(page.get_by_text("the run has ended (rolled_back)").first).to_be_visible()
    visitor.open(f"run/{run.pk}/act/hold/")
    expect(page.get_by_text("Not legal now")).to_be_visible()
    expect(page.get_by_role("button", name="hold")).to_have_count(0)
    assert not AuditEvent.objects.filter(action="run.hold").exists()


def test_an_address_of_nothing_leads_back(visitor: Visitor, transactional_db: None) -> None:
    visitor.log_in("viewer")
    visitor.open("run/4711/change/")
    expect(visitor.page.get_by_text("There is no run number 4711.")).to_be_visible()
    expect(visitor.page).to_have_url(f"{visitor.site}/admin/orchestration/run/")
    answer = visitor.page.goto(f"{visitor.site}/admin/nowhere/")
    assert answer is not None and answer.status == 404
    expect(visitor.page.get_by_role("heading", name="Not found")).to_be_visible()

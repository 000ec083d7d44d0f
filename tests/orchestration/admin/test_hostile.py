"""Names, outputs, errors and notes from anywhere are shown, and do nothing."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from foundation.audit import record
from foundation.identity.actor import Actor
from foundation.models import AuditEvent
from foundation.templatetags.zen import as_json, pairs, visible
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act, start_run
from tests.orchestration.admin.visitor import Visitor
from tests.support.peer import Peer
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, step

SCRIPT = "<script>window.taken = 1</script><img src=x onerror='window.taken = 1'>{{ 7 * 7 }}"
BACKWARDS = "paid \u202e000,1 \u2066EUR"
EVIL = f"{SCRIPT} {BACKWARDS}"
LONG = "s" + "-long" * 19
PHONE = {"width": 390, "height": 844}


def run_of(peer: Peer) -> Run:
    body = json.dumps({"text": EVIL, "line": "x" * 5_000}, ensure_ascii=False).encode()
    peer.say("/things/fine", 200, {"Content-Type": "application/json"}, body)
    peer.say(f"/things/{LONG}", 422, {"Content-Type": "application/json"}, body)
    steps = [step("fine") | {"name": EVIL[:200]}, step(LONG, description=EVIL)]
    definition = {"saga_id": "evil", "name": EVIL[:200], "description": EVIL, "steps": steps}
    run, _ = start_run(definition=definition | {"context": {"base": peer.url}}, actor=ADA, engine="celery")
    run = until(run)
    again = act(workflow_id=run.workflow_id, verb=Verb.RESTART, actor=ADA)
    mallory = Actor(name="mallory", door="api")
    record(actor=mallory, action="x", workflow_id=run.workflow_id, note=EVIL * 200)
    until(again)
    return run


@pytest.mark.browser
@pytest.mark.slow
def test_hostile_content_is_only_shown(visitor: Visitor, engine: str, peer: Peer) -> None:
    run, page = run_of(peer), visitor.page
    visitor.log_in("administrator")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    audit = AuditEvent.objects.get(actor="mallory")
    places = ("run/", "definition/", "auditevent/", f"auditevent/{audit.pk}/change/")
    ours = (
        f"run/{run.pk}/change/",
        f"definition/{run.definition_id}/change/",
        f"run/{run.pk}/act/hold/?step_id={SCRIPT}",
    )
    for place in (*places, *ours):
        visitor.open(place)
        assert page.evaluate("window.taken") is None, place
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], f"{place} is too wide"
        shown = page.locator("#main").inner_text()
        assert not set("\u202e\u2066") & set(shown), place
    visitor.open(ours[0])
    expect(page.get_by_text("window.taken").first).to_be_visible()
    expect(page.get_by_text("\\u202e000").first).to_be_visible()
    expect(page.get_by_text("characters)").first).to_be_visible()
    assert page.locator(f'[data-step="{LONG}"] text.name').inner_html().count("…") == 1


def test_what_cannot_be_seen_is_written_out() -> None:
    assert visible("a\u202eb\x00c\u2028d\ue000") == "a\\u202eb\\u0000c\\u2028d\ue000"
    assert visible("Zürich 東京 \u0646\u200c\n") == "Zürich 東京 \u0646\u200c\n"
    assert visible(None) == "" and as_json(None) == ""
    assert as_json({"a": "\u202e"}) == '{"a": "\\u202e"}'
    assert as_json(["x" * 600]).endswith("… (604 characters)")
    assert pairs({"attempt": 1, "error": "", "cause": "a\u202eb", "more": {}}) == "attempt=1 cause=a\\u202eb"

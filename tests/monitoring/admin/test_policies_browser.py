"""A draft of a recovery policy is tried and published on a phone."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from monitoring.recovery.policies import current
from tests.approvals.admin.decider import PHONE, faults_of
from tests.monitoring.recovery.test_trials import blocked
from tests.monitoring.watch.test_sweep import BAD, begun, step
from tests.orchestration.admin.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_draft_is_tried_and_published_on_a_phone(visitor: Visitor, transactional_db: None) -> None:
    begun(step("a", BAD))
    run = blocked()
    page = visitor.page
    visitor.log_in("administrator")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{visitor.site}/admin/monitoring/policyversion/add/")
    page.locator("[name=policy_id]").fill("patience")
    page.locator("[name=name]").fill("Patience")
    written = json.dumps({"any": [{"issue": {"==": "step_blocks"}}, {"failed_steps": {">": 0}}]})
    page.locator("[name=conditions]").fill(written)
    expect(page.locator("[name=mode]")).to_have_value("shadow")
    page.get_by_role("button", name="Back-test").click()
    expect(page.locator("#back")).to_contain_text("1 of 1 runs matched")
    page.get_by_role("button", name="Dry run").click()
    expect(page.locator("#dry")).to_contain_text("1 of 1 open runs match")
    expect(page.locator("#dry")).to_contain_text(run.workflow_id)
    expect(page.locator("#back")).to_contain_text("1 of 1 runs matched")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert faults_of(page) == []
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("patience 1 is shadow")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("button", name="Switch live").click()
    expect(page.get_by_text("patience is live.")).to_be_visible()
    assert current("patience").mode == "live"

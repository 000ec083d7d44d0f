"""Every page of monitoring in Chromium, wide and narrow, light and dark: nothing is cut off, and axe finds no fault."""

from __future__ import annotations

from datetime import timedelta

import pytest

from foundation.clock import now
from monitoring.core.enums import RecoveryAction
from monitoring.models import Alert, AlertRule, PolicyVersion, RecoveryAttempt, Silence
from monitoring.performing.by_hand import trigger
from orchestration.models import Run
from tests.approvals.admin.decider import faults_of
from tests.monitoring.admin.test_overview import blocked
from tests.monitoring.admin.test_overview_browser import DESK, PHONE, picture
from tests.orchestration.admin.visitor import Visitor
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def in_trouble() -> dict[str, str]:
    """A run that blocks, its alert, an attempt of recovery and a silence; the pages about them, by name."""
    run = Run.objects.get(workflow_id=blocked())
    alert = Alert.objects.get(rule__name="run_blocked")
    trigger(run.workflow_id, "its service is back", RecoveryAction.RETRY, actor=ADA)
    silence = Silence.objects.create(
        matchers={"saga_id": "shop"}, reason="a long night of work", by="ada", starts_at=now(),
        ends_at=now() + timedelta(hours=2),
    )  # fmt: skip
    made = {
        "alert": alert.pk, "alertrule": AlertRule.objects.get(name="run_blocked").pk, "silence": silence.pk,
        "policyversion": PolicyVersion.objects.filter(current=True)[0].pk,
        "recoveryattempt": RecoveryAttempt.objects.get().pk,
    }  # fmt: skip
    pages = {f"{name}-list": f"monitoring/{name}/" for name in made}
    pages |= {name: f"monitoring/{name}/{pk}/change/" for name, pk in made.items()}
    pages |= {f"alert-{verb}": f"monitoring/alert/{alert.pk}/act/{verb}/" for verb in ("ack", "silence")}
    pages |= {
        "policy-new": "monitoring/policyversion/add/", "alert-runs": f"monitoring/alert/{alert.pk}/runs/retry/",
        "run": f"orchestration/run/{run.pk}/change/",
    }  # fmt: skip
    return pages


def test_every_page_of_monitoring_is_whole_and_shuts_nobody_out(visitor: Visitor, transactional_db: None) -> None:
    pages, page, faults = in_trouble(), visitor.page, []
    visitor.log_in("administrator")
    for name, size in (("desk", DESK), ("phone", PHONE)):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for key, place in pages.items():
            answer = page.goto(f"{visitor.site}/admin/{place}")
            assert answer is not None and answer.status == 200, (key, answer and answer.status)
            picture(page, f"{key}-{name}")
            wide = page.evaluate("document.documentElement.scrollWidth")
            faults += [f"{key} {name}: {wide} pixels wide"] if wide > size["width"] else []
            faults += [f"{key} {name}: {fault}" for fault in faults_of(page)]
    assert faults == []

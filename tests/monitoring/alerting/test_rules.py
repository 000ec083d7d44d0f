"""Administrators change rules: by REST, at the console and in the admin; a rule that is off closes its alerts."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from foundation.clock import now
from foundation.errors import BadInput, NotAllowed, NotFound
from foundation.models import AuditEvent
from monitoring.alerting.rule_changes import change_rule
from monitoring.alerting.rules import all_rules
from monitoring.alerting.telling import tell_and_close
from monitoring.core.site.rules import SITE_RULES
from monitoring.core.site.troubles import CODES
from monitoring.models import Alert, AlertRule
from monitoring.queries.alerts import rule_view
from monitoring.watch import sweep
from notifications.models import Channel
from orchestration.models import Command
from tests.monitoring.admin.test_overview import client_of as browser_of
from tests.monitoring.alerting.test_alerts import failed, later, operator, told
from tests.monitoring.watch.test_sweep import LONG, begun, step
from tests.orchestration.api.test_runs import client_of
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True)]
__all__ = ["operator"]


def test_each_trouble_of_the_site_has_its_rule() -> None:
    found = all_rules()
    assert set(CODES) == {rule.name for rule in SITE_RULES} <= set(found)
    assert {row.source for row in found.values()} == {"run", "saga", "site"}


def test_a_rule_that_is_off_tells_nothing_and_closes_what_it_told() -> None:
    failed()
    alert = Alert.objects.get()
    changed = change_rule("run_failed", {"enabled": False, "channels": ["slack://ops"]}, actor=ADA)
    alert.refresh_from_db()
    assert (alert.state, alert.notes.last().note) == ("resolved", "its rule was switched off")  # type: ignore[union-attr]
    assert rule_view(changed)["unheard"] == ["slack://ops"]
    failed()
    later(60)
    tell_and_close()
    assert Alert.objects.filter(state="firing").count() == 0 == told()
    row = AuditEvent.objects.get(action="alert.rule")
    assert row.data["before"] == {"enabled": True, "channels": []} and row.workflow_id == "alerts"
    change_rule("run_failed", {"enabled": False}, actor=ADA)
    assert AuditEvent.objects.filter(action="alert.rule").count() == 1  # no change
    Channel.objects.create(name="slack://ops", kind="slack")
    assert rule_view(AlertRule.objects.get(name="run_failed"))["unheard"] == []


def test_a_rule_that_is_on_again_tells_of_what_is_so_already() -> None:
    run = begun(step("cool", LONG))
    Command.objects.filter(run=run, kind="start_timer").update(due_at=now() - timedelta(seconds=100))
    sweep.sweep(at_once=True)
    for enabled in (False, True):
        change_rule("run_stuck", {"enabled": enabled}, actor=ADA)
        sweep.sweep(at_once=True)
    assert Alert.objects.get(state="firing").members == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"enabled": "yes"}, "enabled"), ({"channels": "slack://ops"}, "channels"), ({"channels": ["ops"]}, "channels"),
        ({"for_s": -1}, "for_s"), ({"for_s": True}, "for_s"), ({"repeat_s": 1}, "repeat_s"),
        ({"resolve_after_s": float("nan")}, "resolve_after_s"), ({"severity": "warning"}, "severity"),
    ],
)  # fmt: skip
def test_what_is_no_value_changes_nothing(changes: dict[str, Any], field: str) -> None:
    before = rule_view(all_rules()["run_failed"])
    with pytest.raises(BadInput) as refused:
        change_rule("run_failed", {"for_s": 7, **changes}, actor=ADA)
    assert refused.value.field == field and refused.value.remedy
    assert rule_view(all_rules()["run_failed"]) == before
    assert browser_of("viewer").get("/admin/monitoring/alertrule/").status_code == 200


def test_an_unknown_rule_is_named_with_what_is_near() -> None:
    with pytest.raises(NotFound) as refused:
        change_rule("run_faild", {}, actor=ADA)
    assert "run_failed" in str(refused.value.remedy)


def test_rest_lists_and_changes_them_for_administrators() -> None:
    viewer, operator, administrator = (client_of(role) for role in ("viewer", "operator", "administrator"))
    listed = {row["name"]: row for row in viewer.get("/api/v1/alert-rules/").json()}
    assert listed["no_worker"]["source"] == "site" and listed["run_stuck"]["for_s"] == 60
    where, body = "/api/v1/alert-rules/run_slow/", {"for_s": 30, "enabled": False}
    assert operator.patch(where, body, content_type="application/json").status_code == 403
    answer = administrator.patch(where, body, content_type="application/json")
    assert answer.status_code == 200 and (answer.json()["for_s"], answer.json()["enabled"]) == (30, False)
    assert viewer.get(where).json() == answer.json()
    wrong = administrator.patch(where, {"for_s": "soon"}, content_type="application/json")
    assert wrong.status_code == 422 and wrong.json()["field"] == "for_s"
    assert administrator.patch("/api/v1/alert-rules/x/", {}, content_type="application/json").status_code == 404


def test_the_console_shows_and_changes_them(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("alerts", "rules", "--json")
    assert "saga_failing" in [row["name"] for row in json.loads(capsys.readouterr().out)]
    call_command("alerts", "rule", "run_slow", "--off", "--channel", "slack://ops", "--for", "9", "--json")
    changed = json.loads(capsys.readouterr().out)
    assert (changed["enabled"], changed["channels"], changed["for_s"]) == (False, ["slack://ops"], 9)
    call_command("alerts", "rule", "run_slow", "--on", "--operators")
    assert "on" in capsys.readouterr().out and AlertRule.objects.get(name="run_slow").channels == []
    with pytest.raises((CommandError, SystemExit)):
        call_command("alerts", "rule", "run_slow", "--for", "-1")


def test_the_admin_offers_the_form_to_administrators_only() -> None:
    pk = all_rules()["run_slow"].pk
    where = f"/admin/monitoring/alertrule/{pk}/change/"
    assert "Administrators change rules." in browser_of("operator").get(where).content.decode()
    administrator = browser_of("administrator")
    assert administrator.get("/admin/monitoring/alertrule/").status_code == 200
    form = {"channels": "slack://ops", "for_s": "20", "resolve_after_s": "60", "repeat_s": "3600"}
    assert administrator.post(where, form).status_code == 302
    row = AlertRule.objects.get(pk=pk)
    assert (row.enabled, row.channels, row.for_s) == (False, ["slack://ops"], 20)
    refused = administrator.post(where, form | {"repeat_s": "1"})
    assert refused.status_code == 200 and "60 to" in refused.content.decode()
    assert browser_of("viewer").post(where, form | {"enabled": "on"}).status_code == 200
    assert AlertRule.objects.get(pk=pk).enabled is False


def test_who_may_not_is_refused() -> None:
    from tests.monitoring.alerting.test_alerts import AGENT, VIEWER

    for actor in (VIEWER, AGENT):
        with pytest.raises(NotAllowed):
            change_rule("run_slow", {"enabled": False}, actor=actor)

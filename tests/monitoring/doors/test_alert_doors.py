"""Alerts through REST, the console, Python and the admin, for those whose roles allow it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client

from foundation.clock import now
from foundation.errors import BadInput, NotAllowed
from foundation.models import AuditEvent
from monitoring.client import get_workflow_monitor
from monitoring.models import Alert, Silence
from tests.monitoring.alerting.test_alerts import failed
from tests.orchestration.api.test_runs import client_of, post

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def alert() -> Alert:
    failed(2)
    return Alert.objects.get()


def test_rest_shows_and_acts(alert: Alert) -> None:
    viewer, operator = client_of("viewer"), client_of("operator")
    listed = viewer.get("/api/v1/alerts/").json()
    assert [row["id"] for row in listed["results"]] == [alert.pk] and listed["more"] is False
    one = viewer.get(f"/api/v1/alerts/{alert.pk}/").json()
    assert len(one["member_list"]) == 2 and one["notes"][0]["kind"] == "opened"
    assert viewer.get(f"/api/v1/alerts/{alert.pk}/members/").json() == one["member_list"]
    assert post(viewer, f"alerts/{alert.pk}/ack/", {}).status_code == 403
    acked = post(operator, f"alerts/{alert.pk}/ack/", {"note": "mine"})
    assert acked.status_code == 200 and acked.json()["acked_by"] == "operator1"
    assert post(operator, f"alerts/{alert.pk}/unack/", {}).json()["acked_by"] is None
    assert post(operator, f"alerts/{alert.pk}/resolve/", {}).status_code == 422
    assert post(operator, f"alerts/{alert.pk}/resolve/", {"note": "paid back"}).json()["state"] == "resolved"
    again = post(operator, f"alerts/{alert.pk}/ack/", {})
    assert again.status_code == 409 and "was resolved at" in again.json()["detail"]
    assert [row["id"] for row in viewer.get("/api/v1/alerts/?state=all").json()["results"]] == [alert.pk]
    assert viewer.get("/api/v1/alerts/?state=open").status_code == 422
    misspelt = viewer.get("/api/v1/alerts/?rule=run_fialed")
    assert misspelt.status_code == 422 and "run_failed" in misspelt.json()["remedy"]
    assert viewer.get("/api/v1/alerts/999999/").status_code == 404
    assert set(AuditEvent.objects.filter(workflow_id="alerts").values_list("actor", flat=True)) == {"operator1"}


def test_rest_silences(alert: Alert) -> None:
    operator = client_of("operator")
    ends = (now() + timedelta(hours=2)).isoformat()
    body = {"matchers": {"rule": "run_failed"}, "reason": "known", "ends_at": ends}
    made = post(operator, "silences/", body)
    assert made.status_code == 201, made.content
    assert operator.get("/api/v1/alerts/").json()["results"][0]["silenced_until"]
    assert [row["id"] for row in operator.get("/api/v1/silences/").json()] == [made.json()["id"]]
    assert post(operator, f"silences/{made.json()['id']}/end/", {}).json()["ended_by"] == "operator1"
    assert operator.get("/api/v1/silences/").json() == []
    wrong: list[tuple[dict[str, Any], str]] = [
        ({**body, "matchers": {"x": "y"}}, "matchers.x"), ({**body, "reason": ""}, "reason"),
        ({**body, "more": 1}, "more"), ({**body, "ends_at": "soon"}, "ends_at"),
        ({**body, "matchers": {"rule": "run_fialed"}}, "did you mean 'run_failed'?"),
        ({**body, "matchers": {"severity": "high"}}, "matchers.severity"),
        ({**body, "matchers": {"engine": "temprl"}}, "matchers.engine"),
    ]  # fmt: skip
    for given, field in wrong:
        answer = post(operator, "silences/", given)
        assert answer.status_code == 422 and field in answer.content.decode()
    assert Silence.objects.count() == 1


def test_the_console(alert: Alert, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("alerts", "list", "--json")
    assert json.loads(capsys.readouterr().out)[0]["id"] == alert.pk
    call_command("alerts", "show", str(alert.pk))
    assert "rolled back: step 'pay' failed" in capsys.readouterr().out
    call_command("alerts", "ack", str(alert.pk), "--note", "mine")
    capsys.readouterr()
    call_command("alerts", "silence", "rule=run_failed", "--reason", "known", "--hours", "2", "--json")
    made = json.loads(capsys.readouterr().out)
    call_command("alerts", "list")
    call_command("alerts", "unsilence", str(made["id"]))
    call_command("alerts", "unack", str(alert.pk))
    capsys.readouterr()
    call_command("alerts", "resolve", str(alert.pk), "--note", "done", "--json")
    assert json.loads(capsys.readouterr().out)["state"] == "resolved"
    with pytest.raises(CommandError, match="code 1"):
        call_command("alerts", "ack", str(alert.pk))
    with pytest.raises(CommandError, match="code 2"):
        call_command("alerts", "silence", "rule", "--reason", "x")
    capsys.readouterr()
    with pytest.raises(CommandError, match="code 2"):
        call_command("alerts", "list", "--severity", "high")
    assert "severity is 'high'" in capsys.readouterr().err
    call_command("alerts", "list")
    assert "no alert is firing" in capsys.readouterr().err


def test_python(alert: Alert) -> None:
    monitor = get_workflow_monitor()
    assert [row["id"] for row in asyncio.run(monitor.get_alerts(severity="warning"))] == [alert.pk]
    with pytest.raises(BadInput, match="no filter"):
        asyncio.run(monitor.get_alerts(nosuch="x"))
    with pytest.raises(BadInput, match="state is 'fired'"):
        asyncio.run(monitor.get_alerts(state="fired"))
    for name, role in (("olga", "operator"), ("vic", "viewer")):
        User.objects.create_user(name).groups.add(Group.objects.get_or_create(name=role)[0])
    assert asyncio.run(monitor.acknowledge_alert(alert.pk, "olga", "mine"))["acked_by"] == "olga"
    with pytest.raises(NotAllowed):
        asyncio.run(monitor.acknowledge_alert(alert.pk, "vic"))
    data = asyncio.run(monitor.get_workflow_dashboard_data())
    assert data["summary"]["warning_alerts"] == 1 and data["summary"]["critical_alerts"] == 0
    assert [row["id"] for row in data["alerts"]] == [alert.pk]


def test_the_admin(alert: Alert, admin_client: Client) -> None:
    assert alert.title[:40] in admin_client.get("/admin/monitoring/alert/").content.decode().replace("&#x27;", "'")
    page = admin_client.get(f"/admin/monitoring/alert/{alert.pk}/change/").content.decode()
    assert "Acknowledge" in page and "Resolve" in page and "Silence" in page and "order-" in page
    act = f"/admin/monitoring/alert/{alert.pk}/act"
    assert "What is wrong" in page and admin_client.get(f"{act}/ack/").status_code == 200
    assert admin_client.post(f"{act}/ack/", {"note": "mine"}).status_code == 302
    assert admin_client.post(f"{act}/resolve/", {"note": ""}).status_code == 200
    assert admin_client.post(f"{act}/silence/", {"reason": "known", "hours": "2"}).status_code == 302
    page = admin_client.get(f"/admin/monitoring/alert/{alert.pk}/change/").content.decode()
    assert "admin is on it since" in page and "Silenced until" in page
    assert admin_client.post(f"{act}/resolve/", {"note": "done"}).status_code == 302
    page = admin_client.get(f"/admin/monitoring/alert/{alert.pk}/change/").content.decode()
    assert "Nothing at present." in page
    assert admin_client.get(f"{act}/nosuch/").status_code == 403
    assert "rule=run_failed" in admin_client.get("/admin/monitoring/silence/").content.decode()
    pk = Silence.objects.get().pk
    admin_client.post("/admin/monitoring/silence/", {"action": "end_now", "_selected_action": [pk]})
    assert Silence.objects.get().ended_at is not None


def test_a_viewer_sees_and_does_nothing(alert: Alert, client: Client) -> None:
    user = User.objects.create_user("vic", is_staff=True)
    user.groups.add(Group.objects.get_or_create(name="viewer")[0])
    client.force_login(user)
    page = client.get(f"/admin/monitoring/alert/{alert.pk}/change/").content.decode()
    assert "You have read-only access." in page and "Acknowledge" not in page
    assert client.post(f"/admin/monitoring/alert/{alert.pk}/act/ack/", {}).status_code == 403

"""The admin shows recovery policies, and lets an administrator try a draft before it is published, in shadow first."""

from __future__ import annotations

import html
import json

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from monitoring.models import Job, PolicyVersion
from monitoring.recovery.policies import current, policies
from tests.monitoring.recovery.test_trials import blocked
from tests.monitoring.watch.test_sweep import BAD, begun, step

pytestmark = [pytest.mark.django_db(transaction=True)]
LIST, ADD = "/admin/monitoring/policyversion/", "/admin/monitoring/policyversion/add/"
DRAFT = {
    "policy_id": "draft", "name": "A draft", "mode": "shadow", "workflow_types": "saga, approval",
    "conditions": json.dumps({"status": {"==": "rolled_back"}}), "recovery_actions": "restart, escalate",
    "max_recovery_attempts": "2", "notification_channels": "", "more": "cooldown_seconds: 90",
}  # fmt: skip


def text(client: Client, where: str) -> str:
    return html.unescape(client.get(where).content.decode())


def test_the_list_has_the_policies_in_force(admin_client: Client) -> None:
    page = text(admin_client, LIST)
    assert "blocked-transient" in page and "Retry undos that failed over a passing error" in page


def test_a_policy_is_shown_and_switched(admin_client: Client) -> None:
    policies()
    row = current("lost")
    page = text(admin_client, f"{LIST}{row.pk}/change/")
    assert "live: it acts" in page and '"timer_overdue"' in page and "Switch to shadow" in page
    assert admin_client.post(f"{LIST}{row.pk}/mode/", {"mode": "off"}).status_code == 302
    assert current("lost").mode == "off"
    assert admin_client.get(f"{LIST}{row.pk}/mode/").status_code == 403
    assert "mode is 'on'" in html.unescape(
        admin_client.post(f"{LIST}{row.pk}/mode/", {"mode": "on"}, follow=True).content.decode()
    )
    assert admin_client.post(f"{LIST}999999/mode/", {"mode": "off"}).status_code == 302


def test_a_draft_is_tried_and_published_last(admin_client: Client) -> None:
    begun(step("a", BAD))
    blocked()
    assert '<option value="shadow" selected' in text(admin_client, ADD)
    asked = admin_client.post(ADD, {**DRAFT, "do": "back"})
    assert asked.status_code == 302 and not PolicyVersion.objects.filter(policy_id="draft").exists()
    where = asked["Location"]
    page = text(admin_client, where)
    assert "1 of 1 runs matched; it would have acted on 1 (restart 1)" in page
    assert "None of the acts would have been needless" in page
    asked = admin_client.post(where, {**DRAFT, "do": "dry"})
    page = text(admin_client, asked["Location"])
    assert "back=" in asked["Location"] and "0 of 1 open runs match" in page and "it would have acted on 1" in page
    assert '"cooldown_seconds": 90' in page and "saga, approval" in page
    other = admin_client.post(asked["Location"], {**DRAFT, "name": "Another", "do": "dry"})
    assert "back=" not in other["Location"]
    done = admin_client.post(asked["Location"], {**DRAFT, "do": "publish"}, follow=True)
    assert "draft 1 is shadow" in done.content.decode()
    row = current("draft")
    assert (row.mode, row.body["cooldown_seconds"], row.published_by) == ("shadow", 90, "admin")
    assert '"status"' in text(admin_client, f"{ADD}?from={row.pk}")


def test_while_a_job_is_open_the_page_looks_again(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.trials.jobs.WORKS_FOR", 0.0)
    where = admin_client.post(ADD, {**DRAFT, "do": "dry"})["Location"]
    answer = admin_client.get(where)
    assert answer["Refresh"] == "1" and "This page looks again each second" in answer.content.decode()


def test_what_is_wrong_is_said_with_its_remedy_and_changes_nothing(admin_client: Client) -> None:
    for change, says in (
        ({"conditions": '{"eror_rate": {">": 1}}'}, "did you mean 'error_rate'?"),
        ({"conditions": '{"a": }'}, "conditions, line 1"),
        ({"recovery_actions": "retri"}, "did you mean 'retry'?"),
        ({"more": "priorty: 1"}, "did you mean 'priority'?"),
        ({"more": "mode: live"}, "has a field of its own"),
        ({"more": "[1]"}, "more is no mapping"),
    ):
        page = html.unescape(admin_client.post(ADD, {**DRAFT, **change, "do": "publish"}).content.decode())
        assert says in page, (change, says)
    assert "This field is required" in admin_client.post(ADD, {**DRAFT, "name": "", "do": "dry"}).content.decode()
    assert not PolicyVersion.objects.filter(policy_id="draft").exists() and not Job.objects.exists()


def test_a_viewer_sees_and_does_nothing(client: Client) -> None:
    policies()
    user = User.objects.create_user("vic", is_staff=True)
    user.groups.add(Group.objects.get_or_create(name="viewer")[0])
    client.force_login(user)
    row = current("lost")
    page = text(client, f"{LIST}{row.pk}/change/")
    assert "You have read-only access." in page and "Switch" not in page
    assert client.get(ADD).status_code == 403
    assert client.post(f"{LIST}{row.pk}/mode/", {"mode": "off"}).status_code == 403
    assert current("lost").mode == "live"

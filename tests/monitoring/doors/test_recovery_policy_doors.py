"""Recovery policies through Python, REST and the console, for those whose roles allow it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from foundation.errors import NotFound
from monitoring.client import RecoveryAction, RecoveryPolicy, get_workflow_monitor
from monitoring.models import PolicyVersion
from monitoring.trials.jobs import perform_some
from tests.monitoring.recovery.test_trials import blocked
from tests.monitoring.watch.test_sweep import BAD, begun, step
from tests.orchestration.api.test_runs import client_of, post

pytestmark = [pytest.mark.django_db(transaction=True)]
SHIPPED = ["blocked-transient", "lost", "machinery", "undo-transient"]
BODY: dict[str, Any] = {
    "policy_id": "p",
    "name": "P",
    "workflow_types": ["saga:order"],
    "conditions": {"error_rate": {">=": 0.3}},
    "recovery_actions": ["retry", "rollback"],
    "notification_channels": ["slack://alerts"],
}


def test_the_seeds_policy_is_added_listed_and_removed_from_python() -> None:
    recovery_policy = RecoveryPolicy(
        policy_id="high_value_workflow_policy",
        name="High Value Workflow Recovery",
        workflow_types=["multi_agent_project"],
        conditions={"execution_time_hours": {">=": 4}, "error_rate": {">=": 0.3}},
        recovery_actions=[RecoveryAction.RETRY, RecoveryAction.ESCALATE],
        max_recovery_attempts=3,
        notification_channels=["slack://alerts", "email://ops@company.com"],
    )
    monitor = get_workflow_monitor()
    assert asyncio.run(monitor.add_recovery_policy(recovery_policy)) == recovery_policy
    listed = asyncio.run(monitor.list_recovery_policies())
    assert sorted(one.policy_id for one in listed) == sorted([*SHIPPED, "high_value_workflow_policy"])
    assert recovery_policy in listed
    asyncio.run(monitor.remove_recovery_policy("high_value_workflow_policy"))
    assert recovery_policy not in asyncio.run(monitor.list_recovery_policies())
    with pytest.raises(NotFound):
        asyncio.run(monitor.remove_recovery_policy("high_value_workflow_policy"))


def test_rest() -> None:
    viewer, administrator = client_of("viewer"), client_of("administrator")
    assert [row["policy_id"] for row in viewer.get("/api/v1/recovery/policies/").json()] == SHIPPED
    assert post(client_of("operator"), "recovery/policies/", BODY).status_code == 403
    made = post(administrator, "recovery/policies/", BODY)
    assert made.status_code == 201, made.content
    told = made.json()
    assert (told["version"], told["mode"], told["published_by"]) == (1, "live", "administrator1")
    assert any("without a count" in one for one in told["warnings"])
    assert any("nobody hears by slack://alerts" in one for one in told["warnings"])
    assert post(administrator, "recovery/policies/", BODY).status_code == 200
    assert post(administrator, "recovery/policies/p/mode/", {"mode": "shadow"}).json()["mode"] == "shadow"
    one = viewer.get("/api/v1/recovery/policies/p/").json()
    assert one["mode"] == "shadow" and [row["version"] for row in one["versions"]] == [1]
    assert viewer.get("/api/v1/recovery/policies/q/").status_code == 404
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("recovery/policies/", {**BODY, "conditions": {"eror_rate": {">": 1}}}, "conditions.eror_rate"),
        ("recovery/policies/", {**BODY, "canry": True}, "canry"),
        ("recovery/policies/p/mode/", {"mode": "on"}, "mode"),
        ("recovery/policies/p/mode/", {}, "mode"),
    ]
    for where, body, field in wrong:
        answer = post(administrator, where, body)
        assert answer.status_code == 422 and answer.json()["field"] == field, answer.content
    assert PolicyVersion.objects.filter(policy_id="p").count() == 1


def test_the_console(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(
        "policy_id: p\nname: P\nworkflow_types: [saga]\nconditions:\n  status: {'==': completed}\n"
        "recovery_actions: [retry]\nmode: shadow\n"
    )
    call_command("recovery", "validate", str(file))
    told = capsys.readouterr()
    assert "p is valid" in told.out
    assert "doubtful: status is completed, in which none of its actions (retry) is legal" in told.err
    with pytest.raises((CommandError, SystemExit)):
        call_command("recovery", "publish", str(file))
    assert not PolicyVersion.objects.filter(policy_id="p").exists()
    capsys.readouterr()
    call_command("recovery", "publish", str(file), "--yes", "--json")
    assert json.loads(capsys.readouterr().out)["mode"] == "shadow"
    call_command("recovery", "mode", "p", "off", "--yes")
    call_command("recovery", "policies")
    assert "p 1 is off" in capsys.readouterr().out
    call_command("recovery", "policies", "--json")
    assert {row["policy_id"]: row["mode"] for row in json.loads(capsys.readouterr().out)}["p"] == "off"
    call_command("recovery", "show", "p")
    assert 'conditions: {"status": {"==": "completed"}}' in capsys.readouterr().out.replace("\n", "")
    file.write_text("policy_id: p\nconditons: {}\n")
    with pytest.raises((CommandError, SystemExit)):
        call_command("recovery", "validate", str(file))
    assert "did you mean 'conditions'?" in capsys.readouterr().err


def test_a_policy_is_tried_over_rest_and_at_the_console(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun(step("a", BAD), saga_id="order")
    administrator = client_of("administrator")
    draft = {**BODY, "conditions": {"status": {"==": "rolled_back"}}, "recovery_actions": ["restart", "escalate"]}
    asked = post(administrator, "recovery/backtest/", {"policy": draft, "days": 3})
    assert asked.status_code == 202, asked.content
    where = f"/api/v1/jobs/{asked.json()['id']}/"
    assert administrator.get(where).json()["state"] == "open"
    assert perform_some()
    told = client_of("viewer").get(where).json()
    assert (told["state"], told["done"], told["results"]["by_action"]) == ("done", 1, {"restart": 1})
    asked = post(administrator, "recovery/dry-run/", {"policy_id": "lost"})
    assert asked.status_code == 202 and perform_some()
    assert administrator.get(f"/api/v1/jobs/{asked.json()['id']}/").json()["results"]["matched"] == 0
    assert administrator.get("/api/v1/jobs/999999/").status_code == 404
    for body, field in (
        ({}, "policy"),
        ({"policy_id": "lost", "policy": draft}, "policy"),
        ({"policy": {}}, "policy_id"),
    ):
        answer = post(administrator, "recovery/dry-run/", body)
        assert answer.status_code == 422 and answer.json()["field"] == field, answer.content
    assert post(administrator, "recovery/backtest/", {"policy_id": "lost", "days": 0}).status_code == 422
    assert post(administrator, "recovery/backtest/", {"policy_id": "lots"}).status_code == 404
    file = tmp_path / "p.json"
    file.write_text(json.dumps(draft))
    call_command("recovery", "backtest", str(file), "--json")
    assert json.loads(capsys.readouterr().out) == told["results"]
    call_command("recovery", "backtest", str(file))
    assert "1 of 1 runs matched; it would have acted on 1" in capsys.readouterr().out
    call_command("recovery", "dry-run", "lost")
    assert "0 of 0 open runs match" in capsys.readouterr().out
    blocked()
    call_command("recovery", "dry-run", "machinery", "--json")
    assert json.loads(capsys.readouterr().out)["of"] == 1

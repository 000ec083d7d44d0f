"""Python, REST and the console say the same of a run's health, to those who may see runs."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from foundation.clock import now
from foundation.errors import NotFound
from monitoring.client import HealthStatus, get_workflow_monitor
from monitoring.console import show
from monitoring.models import Loop, RunHealth
from monitoring.watch import sweep
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act
from tests.monitoring.watch.test_sweep import BAD, LONG, begun, step
from tests.orchestration.api.test_runs import client_of
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True)]
MONITORING = "/api/v1/monitoring/"


def printed(capsys: pytest.CaptureFixture[str], *command: str, code: int = 0) -> Any:
    capsys.readouterr()
    if code:
        with pytest.raises(CommandError, match=f"exited with code {code}"):
            call_command(*command)
    else:
        call_command(*command)
    return json.loads(capsys.readouterr().out)


def rest(path: str, role: str = "viewer") -> Any:
    return client_of(role).get(path).json()


def test_all_doors_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    run = begun(step("a", BAD))
    by_python = asyncio.run(get_workflow_monitor().perform_health_check(run.workflow_id)).as_json()
    by_console = printed(capsys, "monitor", "check", run.workflow_id, "--json", code=1)
    by_rest = rest(f"/api/v1/runs/{run.workflow_id}/health/", "operator")
    for found in (by_python, by_console, by_rest):
        found.pop("checked_at")
        assert found["metrics"].pop("state_seconds") >= 0
    assert by_python == by_console == by_rest
    assert by_rest["status"] == "warning" and by_rest["recovery_actions_available"] == ["restart"]
    assert by_rest["metrics"]["status"] == "rolled_back" and by_rest["metrics"]["error_rate"] == 1.0
    assert by_rest["issues_detected"] == [issue["sentence"] for issue in by_rest["issues"]]


def test_a_viewer_is_offered_no_act() -> None:
    run = begun(step("a", BAD))
    assert rest(f"/api/v1/runs/{run.workflow_id}/health/")["recovery_actions_available"] == []


def test_only_those_in_a_role_see_it() -> None:
    assert Client().get(f"{MONITORING}dashboard/").status_code == 401
    run = begun(step("a", LONG))
    assert Client().get(f"/api/v1/runs/{run.workflow_id}/health/").status_code == 401


def test_an_unknown_run_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotFound):
        asyncio.run(get_workflow_monitor().perform_health_check("nosuch"))
    with pytest.raises(CommandError, match="code 2"):
        call_command("monitor", "check", "nosuch")
    assert "nosuch" in capsys.readouterr().err
    assert client_of("viewer").get("/api/v1/runs/nosuch/health/").status_code == 404


def test_a_healthy_run_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    run = begun(step("a", LONG))
    found = printed(capsys, "monitor", "check", run.workflow_id, "--json")
    assert (found["status"], found["issues"]) == ("healthy", []) and found["look_at"]


def test_the_worst_run_comes_first_and_filters_find_it() -> None:
    warned, held, fine = begun(step("a", BAD)), begun(step("b", LONG), saga_id="h"), begun(step("c", LONG))
    act(workflow_id=held.workflow_id, verb=Verb.FORCE_STOP, actor=ADA, note="enough")
    sweep.sweep(at_once=True)
    client = client_of("viewer")
    rows = client.get(f"{MONITORING}runs/").json()["results"]
    assert [row["workflow_id"] for row in rows][-1] == warned.workflow_id
    assert fine.workflow_id not in {row["workflow_id"] for row in rows}
    only = client.get(f"{MONITORING}runs/?issue=ended_failed&saga_id=s&status=warning&target=not-there").json()
    assert [row["workflow_id"] for row in only["results"]] == [warned.workflow_id]
    assert client.get(f"{MONITORING}runs/?issue=nosuch").status_code == 422
    assert client.get(f"{MONITORING}runs/?limit=0").status_code == 422
    first = client.get(f"{MONITORING}runs/?limit=1").json()
    assert len(first["results"]) == 1
    if first["next"]:
        assert client.get(first["next"]).json()["previous"]


def test_the_dashboard_counts_what_is_open_and_what_ended_today(capsys: pytest.CaptureFixture[str]) -> None:
    begun(step("a", BAD))
    begun(step("a", LONG))
    old = begun(step("a", BAD))
    long_ago = now() - timedelta(hours=30)
    sweep.sweep(at_once=True)
    Run.objects.filter(pk=old.pk).update(finished_at=long_ago)
    data = asyncio.run(get_workflow_monitor().get_workflow_dashboard_data())
    summary = data["summary"]
    assert (summary["total_workflows"], summary["open_workflows"], summary["failed_workflows"]) == (2, 1, 1)
    healths = [summary[f"{word}_workflows"] for word in ("healthy", "warning", "critical", "unknown")]
    assert healths == [1, 1, 0, 0] and sum(healths) == summary["total_workflows"]
    assert data["by_saga"] == [
        {"saga_id": "s", "open": 1, "critical": 0, "ended": 1, "success_rate": 0.0, "p95_seconds": None}
    ]
    by_rest = rest(f"{MONITORING}dashboard/")
    by_console = printed(capsys, "monitor", "show", "--json")
    assert by_rest.keys() == by_console.keys() == data.keys()
    assert by_rest["summary"].keys() == by_console["summary"].keys() == summary.keys()


def test_what_was_just_done_is_in_the_dashboard() -> None:
    begun(step("a", BAD))
    assert not RunHealth.objects.exists()
    assert rest(f"{MONITORING}dashboard/")["summary"]["warning_workflows"] == 1


def test_the_console_says_it_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    run = begun(step("a", BAD))
    call_command("monitor", "show")
    told = capsys.readouterr().out
    assert "0 runs are open; within a day: 1 warning" in told and run.workflow_id in told
    call_command("monitor", "show", run.workflow_id)
    told = capsys.readouterr().out
    assert "rolled back: step 'a' failed" in told and "→ restart the run" in told
    call_command("monitor", "sweep")
    call_command("monitor", "norms")


def test_long_times_are_whole_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"saga_id": "s", "step_id": "a", "purpose": "forward", "n": 1, "p50": 0.0123, "p95": 12.34, "why": "so"}
    show.norms([{**row, "slow_seconds": 3600.0}])
    assert "0.0123 s" in (told := capsys.readouterr().out) and "12.3 s" in told and "3,600 s" in told


async def _watched(run: Run) -> bool:
    monitor = get_workflow_monitor()
    assert await monitor.start_monitoring() and await monitor.start_monitoring()
    try:
        for _ in range(100):
            if await sync_to_async(RunHealth.objects.filter(pk=run.pk).exists)():
                return True
            await asyncio.sleep(0.1)
    finally:
        await monitor.stop_monitoring()
    return False


def test_a_script_of_ones_own_can_watch() -> None:
    run = begun(step("a", LONG))
    assert asyncio.run(_watched(run))
    assert Loop.objects.get(name="watch").at is not None


def test_it_says_that_monitoring_is_off(settings: Settings) -> None:
    settings.WORKFLOW_MONITORING_ENABLED = False
    assert asyncio.run(get_workflow_monitor().start_monitoring()) is False
    assert rest(f"{MONITORING}dashboard/")["monitoring"]["enabled"] is False


def test_health_is_a_word_of_its_own() -> None:
    assert [one.value for one in HealthStatus] == ["healthy", "warning", "critical", "unknown"]


def test_the_page_says_it(admin_client: Client) -> None:
    bad, fine = begun(step("a", BAD)), begun(step("a", LONG))
    page = admin_client.get(f"/admin/orchestration/run/{bad.pk}/change/").content.decode()
    assert "Health: warning" in page and "rolled back: step &#x27;a&#x27; failed" in page
    page = admin_client.get(f"/admin/orchestration/run/{fine.pk}/change/").content.decode()
    assert "Health:" not in page

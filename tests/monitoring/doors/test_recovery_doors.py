"""People have a run mended, see what recovery has done, and stop it: from Python, by REST, at the console, on pages."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from foundation.errors import BadInput, NotFound
from foundation.identity.actor import Actor
from foundation.models import AuditEvent
from monitoring.client import RecoveryAction, get_workflow_monitor
from monitoring.models import RecoveryAttempt
from monitoring.performing.by_hand import trigger
from notifications.models import Notice
from orchestration.models import Run
from orchestration.runs import start_run
from tests.monitoring.recovery.scenes import attempts, blocked, calls, go_on, on, policy, tick, watch
from tests.orchestration.api.test_runs import client_of, post
from tests.support.peer import Peer
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True)]
A = RecoveryAction


@pytest.fixture(autouse=True)
def _on(settings: Settings) -> None:
    settings.ZEN_RECOVERY = "on"


def by_python(run: Run | str, *given: Any, **more: Any) -> Any:
    workflow_id = run if isinstance(run, str) else run.workflow_id
    return asyncio.run(get_workflow_monitor().trigger_recovery(workflow_id, *given, **more))


def checked(run: Run) -> Any:
    return asyncio.run(get_workflow_monitor().perform_health_check(run.workflow_id))


def test_python_does_what_is_recommended_first(peer: Peer) -> None:
    run = blocked(peer)
    assert checked(run).recovery_actions_available == [A.RETRY, A.WAKE]
    peer.say("/things/b", 200)
    found = by_python(run, "payments is back")
    assert (found.success, found.recovery_action, found.state, found.new_workflow_id) == (
        True, A.RETRY, "watching", "",
    )  # fmt: skip
    assert found.workflow_id == run.workflow_id and found.run["workflow_id"] == run.workflow_id
    go_on()
    watch()
    tick()
    row = RecoveryAttempt.objects.get(pk=found.attempt_id)
    assert (row.state, row.policy_id, row.reason, row.actor) == ("worked", "", "payments is back", "python")
    acts = AuditEvent.objects.filter(workflow_id=run.workflow_id).order_by("seq").values_list("action", "actor")
    assert ("run.retry", "python") in acts and ("recovery.worked", "python") in acts


def test_what_is_not_legal_now_changes_nothing_and_says_why(peer: Peer) -> None:
    run = blocked(peer)
    before = AuditEvent.objects.count()
    found = by_python(run, "no more", A.CANCEL)
    assert (found.success, found.attempt_id, found.state) == (False, None, "")
    assert "pivot" in found.message and AuditEvent.objects.count() == before and attempts(run) == []
    with pytest.raises(NotFound):
        by_python("nobody", "x")
    for given, more in ((("",), {}), (("x", "mend"), {}), (("x",), {"step_id": "nope"})):
        with pytest.raises(BadInput):
            by_python(run, *given, **more)
    healthy, _ = start_run(definition={"saga_id": "h", "steps": [LONG]}, actor=ADA, engine="celery")
    assert by_python(healthy, "x").message == "nothing is wrong with it that an action would mend"


LONG: dict[str, Any] = {"step_id": "a", "forward_action": {"type": "wait", "seconds": 500}}


def test_a_restart_waits_for_the_end_of_the_run_and_is_one_run(peer: Peer) -> None:
    run, _ = start_run(definition={"saga_id": "h", "steps": [LONG]}, actor=ADA, engine="celery", context={"n": 1})
    go_on()
    found = by_python(run, "wrong input", A.RESTART)
    assert found.success and found.state in ("acting", "watching")
    go_on()
    RecoveryAttempt.objects.update(lease_until=run.created_at)
    tick()
    row = RecoveryAttempt.objects.get()
    run.refresh_from_db()
    assert run.status == "rolled_back" and row.state == "watching"
    again = Run.objects.get(workflow_id=row.new_workflow_id)
    assert row.new_workflow_id == f"{run.workflow_id}~r{row.pk}" and again.context == run.context
    assert again.status in ("pending", "running", "waiting")


def test_one_attempt_at_a_time_and_a_person_goes_before_what_waits(peer: Peer) -> None:
    policy()
    run = blocked(peer)
    watch()
    assert by_python(run, "now").success and attempts(run) == [("retry", "overtaken", 1), ("retry", "watching", 1)]
    go_on()  # and it fails again
    second = by_python(run, "again")
    assert not second.success and "under way" in second.message


def test_people_are_told_by_hand(peer: Peer) -> None:
    client_of("operator")
    run = blocked(peer)
    found = by_python(run, "look at this", A.ESCALATE)
    assert found.success and found.message == "escalate: told operator1"
    assert Notice.objects.filter(kind="recovery.escalate").count() == 1


def test_rest(peer: Peer) -> None:
    run = blocked(peer)
    viewer, operator, admin = client_of("viewer"), client_of("operator"), client_of("administrator")
    where = f"runs/{run.workflow_id}/recover/"
    assert post(viewer, where, {"reason": "x"}).status_code == 403
    refused = post(operator, where, {"reason": "x", "action": "cancel"})
    assert refused.status_code == 409 and "pivot" in refused.json()["detail"]
    for body, field in (({}, "reason"), ({"reason": "x", "action": "mend"}, "action"), ({"reason": "x", "z": 1}, "z")):
        answer = post(operator, where, body)
        assert answer.status_code == 422 and field in answer.content.decode()
    done = post(operator, where, {"reason": "back", "action": "retry", "step_id": "b"}).json()
    assert (done["success"], done["recovery_action"], done["state"]) == (True, "retry", "watching")
    page = viewer.get(f"/api/v1/recovery/attempts/?run={run.workflow_id}&state=open").json()
    assert [row["id"] for row in page["results"]] == [done["attempt_id"]] and page["more"] is False
    assert page["results"][0]["actor"] == "operator1" and page["results"][0]["policy_id"] is None
    assert viewer.get("/api/v1/recovery/attempts/?state=nosuch").status_code == 422
    assert post(operator, "recovery/stop/", {}).status_code == 403
    assert post(admin, "recovery/stop/", {"note": "deploy"}).json()["stopped_by"] == "administrator1"
    assert post(admin, "recovery/start/", {}).json()["stopped"] is False
    data = viewer.get("/api/v1/monitoring/dashboard/").json()
    assert data["recoveries"][0]["id"] == done["attempt_id"] and data["summary"]["recoveries_open"] == 1


def test_an_agent_may_not_without_the_right_of_the_verb(peer: Peer) -> None:
    run = blocked(peer)
    agent = Actor(name="bot", door="api", roles=frozenset({"operator"}), scopes=frozenset({"view", "recovery.trigger"}))
    with pytest.raises(Exception, match="may not act on runs"):
        trigger(run.workflow_id, "x", "retry", actor=agent)
    assert attempts(run) == []


def test_recovery_is_stopped_and_goes_on(peer: Peer, capsys: pytest.CaptureFixture[str], admin_client: Client) -> None:
    policy()
    run = blocked(peer)
    call_command("recovery", "stop", "--yes", "--note", "deploy")
    watch()
    assert tick() == 0 and calls(run) == 1
    capsys.readouterr()
    call_command("recovery", "attempts", "--json")
    (row,) = json.loads(capsys.readouterr().out)
    assert row["state"] == "decided" and "recovery is stopped by" in row["waits"] and "deploy" in row["waits"]
    assert "Recovery is stopped by" in admin_client.get("/admin/monitoring/alert/").content.decode()
    call_command("recovery", "start", "--yes")
    assert tick() == 1 and calls(run) == 2
    assert "Recovery is stopped by" not in admin_client.get("/admin/monitoring/alert/").content.decode()


def test_the_console(peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    run = blocked(peer)
    call_command("recovery", "trigger", run.workflow_id, "--reason", "back", "--yes", "--json")
    assert json.loads(capsys.readouterr().out)["recovery_action"] == "retry"
    with pytest.raises(CommandError, match="code 1"):
        call_command("recovery", "trigger", run.workflow_id, "--reason", "x", "--action", "cancel", "--yes")
    with pytest.raises(CommandError, match="code 2"):
        call_command("recovery", "trigger", run.workflow_id, "--reason", "x", "--action", "mend", "--yes")
    call_command("recovery", "attempts", "--run", run.workflow_id)
    assert "retry b" in capsys.readouterr().out
    call_command("recovery", "attempts", "--run", run.workflow_id, "--state", "worked")
    assert "nothing that matches" in capsys.readouterr().err
    for option, value in (("--state", "faild"), ("--run", "nobody"), ("--policy", "nothing")):
        with pytest.raises(CommandError, match="code 2"):
            call_command("recovery", "attempts", option, value)
        assert value in capsys.readouterr().err
    with pytest.raises(CommandError, match="code 2"):
        call_command("recovery", "reset", "nobody")
    assert "there is no run 'nobody'" in capsys.readouterr().err


def test_attempts_are_given_back(peer: Peer) -> None:
    policy(max_recovery_attempts=1)
    run = blocked(peer, 422)
    on(rounds=4)
    assert attempts(run) == [("retry", "failed", 1), ("escalate", "worked", 0)] and calls(run) == 2
    call_command("recovery", "reset", run.workflow_id, "--yes")
    on(rounds=2)
    assert calls(run) == 3
    with pytest.raises(CommandError, match="code 2"):
        call_command("recovery", "reset", "nobody", "--yes")


def test_pages_and_the_console_say_what_was_done_and_why_no_more(
    peer: Peer, admin_client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    policy(A.RETRY, A.SKIP, A.ESCALATE, max_recovery_attempts=2, cooldown_seconds=600)
    run = blocked(peer, 422)
    watch()
    tick()
    watch()
    page = admin_client.get(f"/admin/orchestration/run/{run.pk}/change/").content.decode().replace("&#x27;", "'")
    assert "retry 1 of 2 by mend at " in page and ": failed (step 'b' failed after the pivot" in page
    on(rounds=3)
    page = admin_client.get(f"/admin/orchestration/run/{run.pk}/change/").content.decode().replace("&#x27;", "'")
    why_no_more = "mend: skip: 'b' is critical and has no default_output; a person decides"
    assert why_no_more in page
    call_command("monitor", "show", run.workflow_id)
    assert f"recovery: {why_no_more}" in " ".join(capsys.readouterr().out.split())
    listed = admin_client.get("/admin/monitoring/recoveryattempt/").content.decode()
    assert run.workflow_id in listed and "retry b 1 of 2" in listed
    one = RecoveryAttempt.objects.filter(run=run).order_by("pk")[0]
    assert admin_client.get(f"/admin/monitoring/recoveryattempt/{one.pk}/change/").status_code == 200

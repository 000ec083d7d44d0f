"""A run that Temporal no longer knows, or whose history grows long, is told of after one question to the server."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import Settings

from foundation.clock import now
from monitoring.health_check import check_health
from monitoring.models import Alert, Loop, RunHealth
from monitoring.watch import loops, sweep
from monitoring.watch.seldom import workflows
from orchestration.models import Command, Event, Run
from orchestration.runs import start_run
from tests.monitoring.watch.test_sweep import LONG, begun, step
from tests.support.moments import over
from tests.support.waiting import wait_until
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def server(temporal_dev_server: str, settings: Settings) -> None:
    settings.TEMPORAL_ADDRESS = temporal_dev_server


def lost() -> Run:
    """A run of Temporal whose server never heard of it, in which nothing has happened for an hour."""
    run = begun(step("a", LONG))
    ago = now() - timedelta(hours=1)
    Run.objects.filter(pk=run.pk).update(engine="temporal", created_at=ago, started_at=ago)
    Command.objects.filter(run=run).delete()
    Event.objects.filter(run=run).update(at=ago)
    run.steps.update(state={"status": "pending"}, status="pending")
    sweep.sweep(at_once=True)
    return run


def codes(run: Run) -> list[str]:
    return [issue["code"] for issue in RunHealth.objects.get(pk=run.pk).issues]


def ask() -> None:
    Loop.objects.filter(name__in=[loops.WORKFLOWS, loops.HISTORIES]).update(at=None)
    workflows.look()
    sweep.sweep(at_once=True)


def test_a_run_that_its_server_does_not_know_is_lost() -> None:
    run = lost()
    assert codes(run) == ["stalled"]
    ask()
    assert codes(run) == ["workflow_lost"]
    told = check_health(run.workflow_id, ADA)
    assert told.issues_detected == [f"Temporal knows no workflow '{run.workflow_id}' any more"]
    assert "force-stop the run, then restart it" in told.recommendations[0]
    asked = RunHealth.objects.get(pk=run.pk).server
    ask()
    assert RunHealth.objects.get(pk=run.pk).server == asked  # not again within ten minutes
    Run.objects.filter(pk=run.pk).update(version=run.version + 1)
    assert [issue.code for issue in check_health(run.workflow_id, ADA).issues] == ["stalled"]  # something has happened


def test_a_run_that_it_knows_is_told_of_once_its_history_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = start_run(definition={"saga_id": "s", "steps": [step("a", LONG)]}, actor=ADA, engine="temporal")
    wait_until(lambda: Run.objects.get(pk=run.pk).handed_over, lambda: "not handed over")
    sweep.sweep(at_once=True)
    RunHealth.objects.filter(pk=run.pk).update(version=workflows.MANY)
    ask()
    row = RunHealth.objects.get(pk=run.pk)
    assert row.server is not None
    assert row.server["known"] and row.server["history"] >= 2 and "near_limit" not in codes(run)
    RunHealth.objects.filter(pk=run.pk).update(server=row.server | {"history": 36_000}, look_at=over(), version=0)
    sweep.sweep(at_once=True)
    issue = next(one for one in RunHealth.objects.get(pk=run.pk).issues if one["code"] == "near_limit")
    assert issue["severity"] == "warning" and issue["sentence"].startswith("36,000 of 51,200 events")
    assert not Alert.objects.filter(rule__name="run_slow").exists()  # only once it is there for five minutes

"""kill -9 around the yes to what an agent proposed: it is said and done, or neither, and done once."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from approvals.models import Request
from approvals.queries.view import request_view
from approvals.requests import propose
from foundation.identity.authentication import actor_of
from foundation.models import ApiToken, AuditEvent
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import start_run
from tests.system.contract.cast import account, actor
from tests.system.contract.hosts import until
from tests.system.crash.test_approvals import another_worker, killed_at, of_temporal
from tests.system.races.scenes import whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]
SAGA = {"saga_id": "order", "steps": [{"step_id": "first", "forward_action": {"type": "wait", "seconds": 600}}]}


@pytest.fixture(params=["celery", "temporal"])
def engine(request: pytest.FixtureRequest, settings: Settings) -> str:
    if request.param == "temporal":
        settings.TEMPORAL_ADDRESS = request.getfixturevalue("temporal_dev_server")
        settings.TEMPORAL_TASK_QUEUE = "crash-proposals"
    return str(request.param)


def proposed(engine: str) -> tuple[Run, Request]:
    account("dora")
    bot = account("bot", "operator")
    bot.api_token, _ = ApiToken.issue(bot, agent=True)
    ada = actor(account("ada", "operator"))
    run, _ = start_run(definition=SAGA, actor=ada, engine=engine, workflow_id="o-1")
    with another_worker(engine):
        until(run, lambda run: run.status == "waiting")
    return run, propose(workflow_id="o-1", verb=Verb.ABORT, actor=actor_of(bot))[0]


def test_a_process_killed_before_and_after_the_commit_of_a_yes(
    engine: str, process_env: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    run, request = proposed(engine)
    env = process_env | of_temporal(settings)
    killed_at("deciding", "dora", request, env, tmp_path)
    assert request_view(whole(request))["act"]["state"] == "proposed" and not run.messages.exists()
    killed_at("acting-yes", "dora", request, env, tmp_path)
    assert request_view(whole(request))["act"]["state"] == "under way" and not Run.objects.get(pk=run.pk).finished_at
    with another_worker(engine):
        until(run, lambda run: run.finished_at is not None)
        until(run, lambda run: request_view(whole(request))["act"]["state"] == "done")
    assert run.status == "rolled_back"
    assert AuditEvent.objects.filter(workflow_id="o-1", action="run.abort", actor="dora").count() == 1
    call_command("audit", "verify")

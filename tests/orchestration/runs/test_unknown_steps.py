"""A step that the definition does not have: every door says so, for every verb that takes a step."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.contrib.auth.models import User
from django.test import Client

from foundation.errors import BadInput
from foundation.models import AuditEvent
from orchestration.core.enums import Verb
from orchestration.models import Message, Run
from orchestration.runs import act, preview, start_run
from orchestration.runs.acts import NEEDS_STEP
from tests.orchestration.api.test_runs import SAGA, client_of, post
from tests.system.contract.sagas import ADA
from tests.system.crash.workers import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
VERBS = sorted(NEEDS_STEP)


@pytest.fixture
def run_id() -> str:
    run, _ = start_run(definition=SAGA, actor=ADA, engine="celery", workflow_id="o-1")
    return run.workflow_id


@pytest.mark.parametrize("verb", VERBS)
def test_a_preview_refuses_as_the_act_does(verb: Verb, run_id: str) -> None:
    before = AuditEvent.objects.count()
    with pytest.raises(BadInput, match="there is no step 'nope'") as seen:
        preview(workflow_id=run_id, verb=verb, actor=ADA, step_id="nope")
    with pytest.raises(BadInput) as done:
        act(workflow_id=run_id, verb=verb, actor=ADA, step_id="nope", note="-", answer="retry")
    assert seen.value.args == done.value.args and seen.value.field == done.value.field == "step_id"
    assert seen.value.remedy == done.value.remedy == "the steps are: first, second"
    assert AuditEvent.objects.count() == before and not Message.objects.filter(run__workflow_id=run_id).exists()


@pytest.mark.parametrize("verb", VERBS)
def test_the_api_answers_422(verb: Verb, run_id: str) -> None:
    client = client_of("operator")
    seen = client.get(f"/api/v1/runs/{run_id}/preview/{verb}/?step_id=nope")
    done = post(client, f"runs/{run_id}/{verb}/", {"step_id": "nope", "note": "-", "answer": "retry"})
    for answer in (seen, done):
        assert answer.status_code == 422 and answer["Content-Type"] == "application/problem+json"
        assert answer.json()["field"] == "step_id" and "'nope'" in answer.json()["detail"]


@pytest.mark.parametrize("verb", VERBS)
def test_the_admin_goes_back_to_the_run_with_a_message(verb: Verb, run_id: str) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    page = f"/admin/orchestration/run/{Run.objects.get().pk}"
    answer = client.get(f"{page}/act/{verb}/?step_id=nope", follow=True)
    assert answer.status_code == 200 and answer.redirect_chain == [(f"{page}/change/", 302)]
    assert "there is no step &#x27;nope&#x27;; the steps are: first, second" in answer.content.decode()


@pytest.mark.parametrize("verb", VERBS)
def test_the_console_exits_2(verb: Verb, run_id: str, process_env: dict[str, str]) -> None:
    command = [sys.executable, "manage.py", "runs", verb, run_id, "--step", "nope", "--yes"]
    done = subprocess.run(command, cwd=ROOT, env=process_env, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "there is no step 'nope'" in done.stderr and "first, second" in done.stderr

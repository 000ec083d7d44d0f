"""A run's input, and what each attempt asked and was answered, at each door: page, REST, console, Python."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from orchestration.client import get_temporal_client
from orchestration.models import Command, Run
from orchestration.runs import start_run
from orchestration.runs.attempts import attempt_views
from orchestration.workers import lease
from orchestration.workers.celery.worker import work
from tests.orchestration.api.test_runs import client_of
from tests.support.peer import Peer
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)
KNOWN, PLAIN = "s3cr3t-of-the-site", "hunter2-plain"


@pytest.fixture
def run(peer: Peer, settings: Settings) -> Run:
    """It ships after it was refused once, and then pays in vain."""
    settings.ZEN_SECRETS = {"KEY": KNOWN}
    peer.say("/ship", 200, {"X-Box": "b-7"}, b'{"box": 7, "access_token": "hunter2-plain"}')
    peer.say("/pay", 503, {}, b"out of money")
    call = {"type": "api_call", "method": "POST", "auth": {"bearer": "{secret:KEY}"}, "payload": {"item": "{item}"}}
    steps = [
        {"step_id": "ship", "forward_action": call | {"url": "{base}/ship?token={token}"}},
        {"step_id": "pay", "dependencies": ["ship"], "forward_action": call | {"url": "{base}/pay"}, "retry_count": 0},
    ]
    context = {"base": peer.url, "item": "a <b>lamp</b>", "token": PLAIN, "echo": f"it is {KNOWN}"}
    found, _ = start_run(
        definition={"saga_id": "order", "steps": steps}, actor=ADA, engine="celery", workflow_id="o-1", context=context,
        config={"max_parallel": 2},
    )  # fmt: skip
    lease.renew("w")
    while work("w"):
        pass
    found.refresh_from_db()
    return found


def told(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    capsys.readouterr()
    call_command(*command)
    return capsys.readouterr().out


def page_of(run: Run) -> str:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client.get(f"/admin/orchestration/run/{run.pk}/change/").content.decode()


def test_the_input_is_shown_without_secrets(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    rest = client_of("viewer").get("/api/v1/runs/o-1/").json()
    views = [rest, asyncio.run(get_temporal_client().get_workflow_status("o-1"))]
    views.append(json.loads(told(capsys, "runs", "show", "o-1", "--json")))
    for view in views:
        assert view["context"]["item"] == "a <b>lamp</b>" and view["config"] == {"max_parallel": 2}
        assert view["context"]["token"] == "[redacted]" and view["context"]["echo"] == "it is [redacted]"
    text, page = told(capsys, "runs", "show", "o-1"), page_of(run)
    assert 'input: {"base": ' in text and "lamp" in text
    assert "a &lt;b&gt;lamp&lt;/b&gt;" in page and "<b>lamp" not in page
    for shown in (json.dumps(views, default=str), text, page):
        assert KNOWN not in shown
    assert run.context["token"] == PLAIN, "what is stored is what was given"


def test_each_attempt_says_what_it_asked_and_was_answered(run: Run, peer: Peer) -> None:
    ship, pay = attempt_views(run)
    assert ship["request"]["method"] == "POST" and ship["request"]["url"] == f"{peer.url}/ship?token=[redacted]"
    assert ship["request"]["headers"]["Authorization"] == "Bearer {secret:KEY}"
    assert json.loads(ship["request"]["body"]) == {"item": "a <b>lamp</b>"}
    assert ship["answer"]["status"] == 200 and ship["answer"]["headers"]["x-box"] == "b-7"
    assert json.loads(ship["answer"]["body"]) == {"box": 7, "access_token": "[redacted]"}
    assert pay["error"] == f"POST {peer.url}/pay answered 503: out of money"
    assert (pay["answer"]["status"], pay["answer"]["body"]) == (503, "out of money")
    stored = Command.objects.get(pk=pay["number"])
    assert "out of money" not in json.dumps(stored.detail), "nothing is stored twice"
    assert "box" not in json.dumps(Command.objects.get(pk=ship["number"]).detail["request"])


def test_they_are_at_each_door(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    client = client_of("viewer")
    first = client.get("/api/v1/runs/o-1/attempts/?limit=1").json()
    assert [one["step_id"] for one in first["results"]] == ["ship"]
    second = client.get(first["next"]).json()
    assert [one["step_id"] for one in second["results"]] == ["pay"] and second["next"] is None
    assert [one["attempt"] for one in client.get("/api/v1/runs/o-1/attempts/?step_id=pay").json()["results"]] == [1]
    assert client.get("/api/v1/runs/o-1/attempts/?step_id=none").json()["results"] == []
    for wrong in ("limit=0", "limit=201", "after=x"):
        assert client.get(f"/api/v1/runs/o-1/attempts/?{wrong}").status_code == 422
    text = told(capsys, "runs", "show", "o-1", "--attempts")
    views: Any = json.loads(told(capsys, "runs", "show", "o-1", "--attempts", "--json"))["attempts"]
    page = page_of(run)
    assert len(views) == 2 and "→ POST http" in text and "← status 503" in text
    assert "what was asked and answered" in page and "Bearer {secret:KEY}" in page and "answered 503" in page
    for shown in (json.dumps([first, second, views]), text, page):
        assert KNOWN not in shown and "out of money" in shown
    for shown in (json.dumps([first, second, views]), text):
        assert PLAIN not in shown.replace("access_token", "")

"""The number by which people know an agent's session: 1, 2 …, however often no endpoint was free before."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from orchestration.models import AgentAttempt, Event, Run, RunLine
from orchestration.runs import run_log
from orchestration.runs.attempts import attempt_views
from tests.orchestration.admin.projects import building, thinking
from tests.orchestration.admin.visitor import person
from tests.system.contract.cast import account
from tests.system.contract.hosts import memory_host

pytestmark = pytest.mark.django_db(transaction=True)
FIRST, SECOND = 42, 57
"""The attempts of the flow in which an endpoint was free."""


@pytest.fixture
def project(transactional_db: None, tmp_path: Path, settings: Settings) -> Iterator[Run]:
    """One whose task had sessions at its attempts 42 and 57; all others were put off."""
    settings.ZEN_DATA_DIR = tmp_path / "data"
    account("bob")
    with memory_host() as name, thinking():
        run = building(name, 1)
        build = Run.objects.get(parent=run, parent_step="build")
        for before, after in ((1, FIRST), (2, SECOND)):
            build.agent_attempts.filter(attempt=before).update(attempt=after)
            RunLine.objects.filter(run=build, attempt=before).update(attempt=after)
        yield run


def of_console(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    call_command(*words)
    return capsys.readouterr().out


def test_pages_number_sessions(project: Run) -> None:
    client = Client()
    client.force_login(person("operator"))
    build = Run.objects.get(parent=project)
    last = build.agent_attempts.last()
    assert last is not None
    places = {
        f"/admin/orchestration/project/{project.pk}/": "claude#2",
        f"/admin/orchestration/project/{project.pk}/now/": "<b>#1</b>",
        f"/admin/orchestration/project/{project.pk}/diff/t1/": "What session 1 at t1 changed",
        f"/admin/orchestration/run/{build.pk}/change/": "t1#2",
        "/admin/orchestration/agentattempt/": 'data-label="session"',
        f"/admin/orchestration/agentattempt/{last.pk}/change/": "ession",
    }
    for where, expected in places.items():
        page = client.get(where, follow=True)
        text = page.content.decode()
        assert page.status_code == 200 and expected in text, where
        assert not re.search(rf"(?:#|attempt |session )(?:{FIRST}|{SECOND})\b", text), where


def test_the_console_numbers_sessions(project: Run, capsys: pytest.CaptureFixture[str]) -> None:
    told = of_console(capsys, "project", "tasks", project.workflow_id)
    assert "#1 claude" in told and "#2 claude" in told and "#42" not in told
    told = of_console(capsys, "project", "logs", project.workflow_id, "--step", "t1")
    assert "t1#2" in told and "#57" not in told


def test_json_keeps_both_numbers(project: Run, capsys: pytest.CaptureFixture[str]) -> None:
    tasks = json.loads(of_console(capsys, "project", "tasks", project.workflow_id, "--json"))
    assert [(one["session"], one["attempt"]) for one in tasks[0]["attempts"]] == [(1, FIRST), (2, SECOND)]
    shown = json.loads(of_console(capsys, "project", "show", project.workflow_id, "--json"))
    assert shown["tasks"][0]["attempts"] == 2
    build = Run.objects.get(parent=project)
    lines = [
        one for one in run_log.log_entries(build) if one["data"].get("logger") == "agent" and one["source"] == "line"
    ]
    assert {(one["session"], one["attempt"]) for one in lines} == {(2, SECOND)}


def test_a_look_for_an_endpoint_is_no_session(project: Run, capsys: pytest.CaptureFixture[str]) -> None:
    build = Run.objects.get(parent=project)
    AgentAttempt.objects.filter(run=build).delete()
    put_off = {"outcome": "parked", "attempt": 41, "iteration": 1, "error": "no endpoint of type CLAUDE is free"}
    last = build.events.order_by("seq").last()
    assert last is not None
    Event.objects.create(run=build, seq=last.seq + 1, kind="step.attempt_ended", step_id="t1", data=put_off, at=last.at)
    entry = next(one for one in run_log.log_entries(build) if one["data"].get("attempt") == 41)
    assert entry["message"].startswith("an attempt at 't1' is put off: no endpoint")
    assert run_log.shown_number(entry) is None and entry["attempt"] == 41
    assert {one["session"] for one in attempt_views(build)} == {None}
    told = json.loads(of_console(capsys, "project", "show", project.workflow_id, "--json"))
    assert told["tasks"][0]["attempts"] == 0, "a task that no agent has begun has had no session"

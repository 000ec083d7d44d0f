"""A run that was condensed or removed, at every door: page, REST, console, Python; and `manage.py prune`."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from foundation.errors import NotFound
from monitoring.client import get_workflow_monitor
from orchestration.client import get_temporal_client
from orchestration.models import Run
from tests.monitoring.retention.scenes import FAILS, aged, counts, ended, pruned
from tests.orchestration.api.test_runs import SAGA, client_of, post

pytestmark = pytest.mark.django_db(transaction=True)


def said(capsys: pytest.CaptureFixture[str], *command: str, code: int = 0) -> tuple[str, str]:
    capsys.readouterr()
    if code:
        with pytest.raises(CommandError, match=f"exited with code {code}"):
            call_command(*command)
    else:
        call_command(*command)
    return capsys.readouterr()


def page_of(run: Run) -> str:
    client = Client()
    client.force_login(User.objects.filter(username="root").first() or User.objects.create_superuser("root"))
    return client.get(f"/admin/orchestration/run/{run.pk}/change/").content.decode()


def test_a_condensed_run_at_each_door(capsys: pytest.CaptureFixture[str]) -> None:
    run, bad = ended("o-1", days=100), ended("bad", FAILS, days=100)
    pruned()
    rest, python = client_of("operator"), get_temporal_client().get_workflow_status
    for view in (rest.get("/api/v1/runs/o-1/").json(), asyncio.run(python("o-1"))):
        assert view["result"] == {"a": {"greeting": "hello ada"}} and len(view["archived"]["sha256"]) == 64
    assert "rerun" not in str(rest.get("/api/v1/runs/o-1/").json()["allowed_actions"])
    assert rest.get("/api/v1/runs/o-1/events/").json()["results"] == []
    assert {one["source"] for one in rest.get("/api/v1/runs/o-1/logs/").json()["results"]} == {"audit"}
    assert rest.get("/api/v1/runs/o-1/health/").status_code == 200
    answer = post(rest, "runs/o-1/rerun/", {"step_id": "a"})
    assert answer.status_code == 409 and "archived" in answer.json()["detail"]
    assert post(rest, "runs/o-1/restart/", {}).status_code == 200
    page = page_of(run)
    assert "hello ada" in page and "its events, attempts and log were archived on" in page
    assert "out of stock" in page_of(bad)
    text, _ = said(capsys, "runs", "show", "bad")
    assert "out of stock" in text and "archived" in text
    assert "archived" in json.loads(said(capsys, "runs", "show", "o-1", "--json")[0])
    assert "were archived on" in said(capsys, "runs", "events", "o-1")[1]


def test_a_removed_run_at_each_door(capsys: pytest.CaptureFixture[str]) -> None:
    run = ended("o-1", days=401)
    pruned()
    rest = client_of("operator")
    for path in ("", "events/", "logs/", "why/", "health/"):
        answer = rest.get(f"/api/v1/runs/o-1/{path}")
        assert answer.status_code == 404 and answer["Content-Type"] == "application/problem+json", path
        assert "no longer kept: it ended completed" in answer.json()["detail"]
    again = post(rest, "runs/", {"definition": SAGA, "workflow_id": "o-1", "engine": "celery"})
    assert again.status_code == 422 and again.json()["field"] == "workflow_id"
    assert "removed on" in said(capsys, "runs", "show", "o-1", code=2)[1]
    for ask in (get_temporal_client().get_workflow_status, get_workflow_monitor().perform_health_check):
        with pytest.raises(NotFound, match="removed on"):
            asyncio.run(ask("o-1"))
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    assert client.get(f"/admin/orchestration/run/{run.pk}/change/").status_code == 302, "to the list, which says so"
    stones = client.get("/admin/orchestration/tombstone/?q=o-1").content.decode()
    assert stones.count("o-1") > 1 and "completed" in stones


def test_prune_at_the_console(capsys: pytest.CaptureFixture[str]) -> None:
    ended("o-1", days=100), ended("o-2", days=401)
    before = counts()
    dry = json.loads(said(capsys, "prune", "--dry-run", "--json")[0])
    assert counts() == before and set(dry) == {"dry_run", "condensed", "removed", "left", "oldest", "seconds"}
    assert (dry["dry_run"], dry["condensed"], dry["removed"], dry["left"]) == (True, 1, 1, 0)
    text, _ = said(capsys, "prune")
    assert "1 runs condensed, 1 removed" in text and "rows of orchestration_event" in text
    got = json.loads(said(capsys, "prune", "--json")[0])
    assert (got["condensed"], got["removed"], got["oldest"]) == (0, 0, None)
    aged(Run.objects.get(workflow_id="o-1"), 400)
    assert json.loads(said(capsys, "prune", "--json", "--most-seconds", "5")[0])["removed"] == 1, "it begins anew"


def test_the_size_of_the_database_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert re.search(r"the database has \d+ [KMG]iB; what is pruned leaves space", said(capsys, "monitor", "show")[0])


def test_what_prune_refuses(capsys: pytest.CaptureFixture[str], settings: Settings, tmp_path: Path) -> None:
    for seconds in ("0", "-1", "nan", "1e9"):
        assert "most-seconds" in said(capsys, "prune", "--most-seconds", seconds, code=2)[1]
    (tmp_path / "file").write_text("")
    settings.ZEN_ARCHIVE_DIR = str(tmp_path / "file")
    ended("o-1", days=100)
    before: Any = counts()
    assert "cannot be written into" in said(capsys, "prune", code=2)[1] and counts() == before

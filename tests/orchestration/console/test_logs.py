"""`runs logs`: the log of a run at the console, read once or followed to the run's end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from foundation.identity.actor import CONSOLE_ROLES, Actor
from orchestration.console import log
from orchestration.core.enums import Verb
from orchestration.models import Run, RunLine
from orchestration.runs import act, start_run
from tests.system.crash.workers import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
ADA = Actor(name="ada", door="python", roles=CONSOLE_ROLES)
STEP = {"step_id": "a", "forward_action": {"type": "wait", "seconds": 60}}


@pytest.fixture
def run(transactional_db: None) -> Run:
    found, _ = start_run(definition={"saga_id": "s", "steps": [STEP]}, actor=ADA, engine="celery", workflow_id="l-1")
    logged(found, "one")
    return found


def logged(run: Run, text: str, level: int = 20) -> None:
    n = run.lines.count() + 1
    RunLine.objects.create(run=run, step_id="a", n=n, at=run.created_at, level=level, logger="shop", text=text)


def manage(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "runs", "logs", *arguments], cwd=ROOT, env=env, capture_output=True, text=True,
        timeout=600, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_entries_are_lines_or_json_and_no_others_are_exit_codes(run: Run, process_env: dict[str, str]) -> None:
    text = manage(process_env, "l-1", "--step", "a", "--level", "info").stdout.splitlines()
    assert any(line.split() == [line[:12], "INFO", "a#1", "one"] for line in text), text
    entries = [json.loads(line) for line in manage(process_env, "l-1", "--json").stdout.splitlines()]
    assert {"line", "audit"} <= {entry["source"] for entry in entries}
    rest = manage(process_env, "l-1", "--json", "--after", entries[0]["seq"], "--limit", "1").stdout
    assert json.loads(rest) == entries[1]
    wrong = manage(process_env, "l-1", "--level", "loud")
    assert wrong.returncode == 2 and "one of: debug" in wrong.stderr
    assert manage(process_env, "nobody").returncode == 2


def test_following_gives_what_comes_until_the_run_has_ended(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "LOOK_SECONDS", 0.02)
    seen: list[str] = []

    def followed() -> Iterator[str]:
        for entry in log.entries("l-1", step="a", level="", follow=True, after="", limit=1000):
            if entry["source"] == "line":
                yield entry["message"]

    messages = followed()
    seen.append(next(messages))
    logged(run, "two")
    seen.append(next(messages))
    act(workflow_id="l-1", verb=Verb.FORCE_STOP, actor=ADA, note="over")
    logged(run, "written after the end")
    assert [*seen, *messages] == ["one", "two", "written after the end"]


def test_control_characters_of_a_script_do_not_reach_the_terminal() -> None:
    entry = {
        "at": "2026-01-01T10:00:00.123456+00:00", "level": "INFO", "step_id": "a", "attempt": 2,
        "message": "\x1b[2Jgone\nsecond", "data": {"stderr": "old\x07\n"},
    }  # fmt: skip
    assert log.line(entry).split("\n") == [
        f"10:00:00.123  INFO     {'a#2':<20} [2Jgone", "second", "stderr: old",
    ]  # fmt: skip

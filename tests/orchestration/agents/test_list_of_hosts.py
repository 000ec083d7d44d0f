"""Sessions in a sandbox with a list of hosts: the scripted agent works, and what was denied is told."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

import pytest

from orchestration.agents.base import Answer, Driver, EndReason, Sandbox, SessionSpec
from orchestration.agents.drivers import program
from orchestration.agents.drivers.acp.driver import AcpDriver
from orchestration.agents.drivers.scripted import PROGRAM, ROOT, ScriptedDriver
from orchestration.core.agent.events import Event, Notice, TurnEnded, from_json, to_json
from orchestration.execution.agent_step.in_words import lines_of

ASKS = "import urllib.request; urllib.request.urlopen('http://evil.example/')"
LISTED = Sandbox(mode="required", network="hosts", hosts=("api.openai.com",))


def held(driver: Driver, worktree: Path, sandbox: Sandbox, command: tuple[str, ...] = ()) -> list[Event]:
    events: list[Event] = []
    spec = SessionSpec(
        cwd=worktree, prompt="Task t1\nGreet the moon.", command=command, sandbox=sandbox,
        env={"PYTHONPATH": str(ROOT), "ZEN_TASK_ID": "t1"},
    )  # fmt: skip
    ended = driver.run(spec, on_event=events.append, ask=lambda _: Answer(), cancelled=threading.Event())
    assert (ended.reason, ended.error) == (EndReason.END_TURN, "")
    assert (worktree / "t1.md").exists() and isinstance(events[-1], TurnEnded)
    return events


def notices(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Notice)]


def test_the_scripted_agent_works_with_one(worktree: Path, bubblewrap: None) -> None:
    assert notices(held(ScriptedDriver(), worktree, LISTED)) == []


def test_what_it_asked_for_in_vain_is_an_event_and_a_line(worktree: Path, bubblewrap: None) -> None:
    first = f'"{sys.executable}" -c "{ASKS}" 2>/dev/null; exec "$@"'
    events = held(AcpDriver(), worktree, LISTED, ("/bin/sh", "-c", first, "sh", *PROGRAM))
    told = "asked for evil.example:80, which is not in its list of hosts"
    assert notices(events) == [told]
    event = Notice(text=told)
    assert lines_of(event) == [(logging.WARNING, f"! {told}")] and from_json(to_json(event)) == event


def test_where_bubblewrap_is_missing_an_open_network_is_told_and_a_list_is_refused(
    worktree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.agents.process.sandbox.bubblewrap", lambda: None)
    monkeypatch.setattr(program, "bubblewrap", lambda: None)
    (told,) = notices(held(ScriptedDriver(), worktree, Sandbox(network="none")))
    assert "its network is open, though its endpoint says none" in told
    health = ScriptedDriver().check(
        SessionSpec(cwd=worktree, prompt="", sandbox=Sandbox(network="hosts", hosts=("a.b",)))
    )
    assert not health.usable and "install bubblewrap on the worker" in health.detail

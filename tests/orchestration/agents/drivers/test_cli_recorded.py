"""What real command lines printed, against a model on loopback, and what the driver makes of it.

Each file of `recorded` is one run of the program and version in its name. `played` stands for the program: it prints
the recording and ends as it did; one that had to be stopped goes on in silence.
"""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.agents.base import Ended, EndReason, Sandbox, SessionSpec, Usage
from orchestration.agents.drivers.choose import ADAPTERS, driver_for
from orchestration.core.agent.agent_type import AgentType
from orchestration.core.agent.events import Event, Message, Retrying, SessionStarted, ToolDone, ToolStarted
from orchestration.core.agent.session import Health

RECORDED = Path(__file__).parent / "recorded"
PLAYER = """\
import json, sys, time
said = json.load(open(sys.argv[1]))
if "--version" in sys.argv:
    print(said["version"]); sys.exit(0)
sys.stdout.write(said["stdout"]); sys.stderr.write(said["stderr"])
sys.stdout.flush(); sys.stderr.flush()
if said["exit_code"] is None:
    time.sleep(3600)
sys.exit(said["exit_code"])
"""
FILES = sorted(RECORDED.glob("*.json"))
END, AUTH, RATE = EndReason.END_TURN, EndReason.AUTH, EndReason.RATE_LIMITED
CRASHED, STALLED = EndReason.CRASHED, EndReason.STALLED
REASONS = {
    "aider-0.86.2": {"work": END, "noauth": AUTH, "unauthorized": AUTH, "limited": RATE},
    "claude-2.1.197": {
        "work": END, "denied": END, "noauth": AUTH, "unauthorized": AUTH, "limited": RATE, "overloaded": RATE,
        "budget": EndReason.OVER_BUDGET, "turns": EndReason.MAX_TURNS, "resume": CRASHED,
    },
    "codex-0.169.0": {
        "work": END, "noauth": AUTH, "unauthorized": AUTH, "limited": RATE, "overloaded": RATE, "resume": CRASHED,
    },
    "gemini-0.61.0": {"work": END, "noauth": AUTH, "unauthorized": AUTH, "limited": RATE, "overloaded": RATE},
    "opencode-1.18.33": {
        "work": END, "unauthorized": AUTH, "limited": STALLED, "overloaded": STALLED, "resume": CRASHED,
    },
}  # fmt: skip
"""opencode says nothing at all while its model refuses."""


def played(name: str, tmp_path: Path, **changes: object) -> tuple[Ended, list[Event]]:
    program = tmp_path / name.split("-")[0]
    program.write_text(f"#!{sys.executable}\n{PLAYER}")
    program.chmod(0o755)
    given = {"cwd": tmp_path, "prompt": "Write a.txt.", "stall_seconds": 1.5, "sandbox": Sandbox(mode="off"), **changes}
    spec = SessionSpec(command=(str(program), str(RECORDED / f"{name}.json")), **given)  # type: ignore[arg-type]
    events: list[Event] = []
    driver = driver_for("cli", name.split("-")[0])
    ended = driver.run(spec, on_event=events.append, ask=lambda _: None, cancelled=threading.Event())
    return ended, events


def test_every_recording_is_judged() -> None:
    assert {file.stem for file in FILES} == {f"{name}-{case}" for name, cases in REASONS.items() for case in cases}
    assert {name.split("-")[0].upper() for name in REASONS} == {kind.value for kind in ADAPTERS}


@pytest.mark.parametrize("name", [file.stem for file in FILES])
@pytest.mark.django_db
def test_it_ends_as_the_agent_said(name: str, tmp_path: Path) -> None:
    program, case = name.rsplit("-", 1)
    ended, events = played(name, tmp_path)
    assert (ended.reason, ended.error != "") == (REASONS[program][case], REASONS[program][case] is not END)
    assert all(isinstance(event, SessionStarted) for event in events[:1]) or not ended.session_id


@pytest.mark.parametrize("name", [f"{name}-work" for name in REASONS])
def test_work_is_told_with_its_tools_and_its_tokens(name: str, tmp_path: Path) -> None:
    ended, events = played(name, tmp_path)
    begun = [event for event in events if isinstance(event, SessionStarted)]
    assert len(begun) == 1 and begun[0].session_id == ended.session_id != "" and begun[0].agent
    tools = [event for event in events if isinstance(event, ToolStarted)]
    done = [event for event in events if isinstance(event, ToolDone)]
    assert [one.tool_id for one in tools] == [one.tool_id for one in done] and len(tools) == 1 and done[0].succeeded
    assert "a.txt" in tools[0].title + "".join(tools[0].paths)
    if not name.startswith("aider"):
        assert ended.text == "Done: the files are written." and any(isinstance(one, Message) for one in events)
        assert ended.turns == 2
    calls = 1 if name.startswith("aider") else 2
    cached = 0 if name.startswith("aider") else 40
    given = 280 if name.startswith("claude") else 120 * calls  # Claude's service counts cached ones apart
    assert ended.usage == Usage(input=given, output=30 * calls, cached=cached)


def test_claude_says_what_it_cost_and_which_version_it_is(tmp_path: Path) -> None:
    ended, events = played("claude-2.1.197-work", tmp_path)
    assert ended.cost_usd == Decimal("0.00272") and isinstance(events[0], SessionStarted)
    assert (events[0].version, events[0].model) == ("2.1.197", "claude-opus-4-8[1m]")


def test_a_denied_tool_is_in_the_result_though_the_program_reports_success(tmp_path: Path) -> None:
    ended, events = played("claude-2.1.197-denied", tmp_path)
    assert ended.reason is END and ended.denied == ("Write",) and ended.exit_code in (0, None)
    assert [one.succeeded for one in events if isinstance(one, ToolDone)] == [False]


@pytest.mark.parametrize("name", ["claude-2.1.197-overloaded", "codex-0.169.0-limited", "aider-0.86.2-limited"])
@pytest.mark.django_db
def test_retries_are_told_and_are_no_progress(name: str, tmp_path: Path) -> None:
    ended, events = played(name, tmp_path)
    assert any(isinstance(event, Retrying) and event.error for event in events)
    assert ended.reason is RATE and "1.5 s" in ended.error


@pytest.mark.parametrize("name", ["claude-2.1.197-resume", "codex-0.169.0-resume", "opencode-1.18.33-resume"])
def test_what_they_say_of_a_lost_session_is_known(name: str, tmp_path: Path) -> None:
    lost = ADAPTERS[AgentType(name.split("-")[0])].lost
    ended, _ = played(name, tmp_path)
    assert lost is not None and lost.search(ended.error)


def test_check_says_the_version_and_how_to_sign_in(tmp_path: Path) -> None:
    program = tmp_path / "codex"
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo codex-cli 1.2.3\n')
    program.chmod(0o755)
    spec = SessionSpec(command=(str(program), "--profile", "x"), cwd=tmp_path, prompt="", env={"HOME": str(tmp_path)})
    health = driver_for("cli", "codex").check(spec)
    assert (health.installed, health.version, health.signed_in) == (True, "codex-cli 1.2.3", False)
    assert "codex login" in health.detail and not health.usable
    signed = replace(spec, env={**spec.env, "OPENAI_API_KEY": "x"})
    assert driver_for("cli", "codex").check(signed) == Health(installed=True, version="codex-cli 1.2.3", signed_in=True)


def test_one_that_does_not_say_its_version_is_not_that_program(tmp_path: Path) -> None:
    spec = SessionSpec(command=("false",), cwd=tmp_path, prompt="")
    health = driver_for("cli", "codex").check(spec)
    assert not health.installed and "does not say its version" in health.detail


def test_a_driver_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="acp, cli, agentapi, scripted"):
        driver_for("telepathy", "CLAUDE")
    with pytest.raises(ValueError, match="take driver 'acp'"):
        driver_for("cli", "goose")
    with pytest.raises(ValueError, match="is not a type of agent"):
        driver_for("cli", "nobody")


def test_recordings_hold_no_path_of_a_machine() -> None:
    for file in FILES:
        assert "/tmp/tmp" not in json.dumps(json.loads(file.read_text()))

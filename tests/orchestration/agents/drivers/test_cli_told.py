"""What command lines have been seen to print in the hands of others, and what the driver makes of it."""

from __future__ import annotations

import json
import sys
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.agents.base import Ended, EndReason, Sandbox, SessionSpec, Usage
from orchestration.agents.drivers.choose import driver_for
from orchestration.core.agent.events import Event, SessionStarted

INIT = {"type": "system", "subtype": "init", "session_id": "s1", "model": "m", "claude_code_version": "9"}
SAYS = {"type": "assistant", "message": {"id": "m2", "content": [{"type": "text", "text": "All written."}]}}


def result(turns: int = 2, cost: float = 0.5, tokens: int = 100, **more: object) -> dict[str, object]:
    used = {"m": {"inputTokens": tokens, "outputTokens": 10}}
    told = {"type": "result", "subtype": "success", "is_error": False, "num_turns": turns, "total_cost_usd": cost}
    return {**told, "result": "ok", "stop_reason": "end_turn", "modelUsage": used, **more}


def told(
    agent: str, tmp_path: Path, lines: list[object], *, code: int = 0, **spec: object
) -> tuple[Ended, list[Event]]:
    """A session with a program that prints these: objects, text as it is, and numbers as pauses in seconds."""
    (tmp_path / "lines.json").write_text(json.dumps(lines))
    program = tmp_path / agent
    program.write_text(
        f"#!{sys.executable}\nimport json, sys, time\n"
        f"for one in json.load(open({str(tmp_path / 'lines.json')!r})):\n"
        "    if isinstance(one, (int, float)): time.sleep(one); continue\n"
        "    print(one if isinstance(one, str) else json.dumps(one), flush=True)\n"
        f"sys.exit({code})\n"
    )
    program.chmod(0o755)
    given = {"cwd": tmp_path, "prompt": "Go.", "stall_seconds": 120.0, "sandbox": Sandbox(mode="off"), **spec}
    events: list[Event] = []
    ended = driver_for("cli", agent).run(
        SessionSpec(command=(str(program),), **given),  # type: ignore[arg-type]
        on_event=events.append,
        ask=lambda _: None,
        cancelled=threading.Event(),
    )
    return ended, events


def test_a_session_that_goes_on_after_a_result_is_heard_to_its_end(tmp_path: Path) -> None:
    """Claude Code tells a result, and goes on once its tasks in the background are done."""
    begun = {"type": "system", "subtype": "task_started", "task_id": "t"}
    over = {"type": "system", "subtype": "task_notification", "task_id": "t"}
    lines = [INIT, begun, result(1, 0.1, 40), 12, over, INIT, SAYS, result(3, 0.5, 100)]
    ended, _ = told("claude", tmp_path, lines)
    assert (ended.reason, ended.text, ended.turns) == (EndReason.END_TURN, "All written.", 3)
    assert (ended.cost_usd, ended.usage) == (Decimal("0.5"), Usage(input=100, output=10))  # those of all rounds, once


def test_one_that_hangs_after_its_last_word_has_ended_its_turn(tmp_path: Path) -> None:
    began = time.monotonic()
    ended, _ = told("claude", tmp_path, [INIT, SAYS, result(), 600])
    assert ended.reason is EndReason.END_TURN and time.monotonic() - began < 500


def test_a_fault_after_the_end_takes_nothing_back(tmp_path: Path) -> None:
    spurious = result(0, 0.0, 0, subtype="error_during_execution", is_error=True)
    ended, _ = told("claude", tmp_path, [INIT, SAYS, result(), spurious], code=1)
    assert (ended.reason, ended.cost_usd) == (EndReason.END_TURN, Decimal("0.5"))


@pytest.mark.parametrize("last", [[], [result(is_error=True, result="You've hit your limit", api_error_status=429)]])
@pytest.mark.django_db
def test_a_limit_of_the_plan_is_told_with_its_end(last: list[object], tmp_path: Path) -> None:
    info = {"status": "rejected", "resetsAt": 1_795_000_000, "rateLimitType": "five_hour"}
    ended, _ = told("claude", tmp_path, [INIT, {"type": "rate_limit_event", "rate_limit_info": info}, *last], code=1)
    assert (ended.reason, ended.retry_at) == (EndReason.RATE_LIMITED, datetime.fromtimestamp(1_795_000_000, UTC))


def test_a_limit_that_only_draws_near_changes_nothing(tmp_path: Path) -> None:
    info = {"status": "allowed_warning", "resetsAt": 1_795_000_000}
    ended, _ = told("claude", tmp_path, [INIT, {"type": "rate_limit_event", "rate_limit_info": info}, SAYS, result()])
    assert ended.reason is EndReason.END_TURN and ended.retry_at is None


@pytest.mark.parametrize("before", ["\x1b]0;ready\x07", "\x1b[?2004h", "\ufeff", "\x1b[?25l\x1b[2K\r", "\x1b(B"])
def test_what_moves_a_terminal_hides_no_event(before: str, tmp_path: Path) -> None:
    lines = [before + json.dumps(one) + "\x1b[0m" for one in (INIT, SAYS, result())]
    ended, events = told("claude", tmp_path, ["npm notice a new version is there", *lines, "\x1b[?25h"])
    assert (ended.reason, ended.session_id, ended.text) == (EndReason.END_TURN, "s1", "All written.")
    assert isinstance(events[0], SessionStarted)


def turn(tokens: int) -> dict[str, object]:
    usage = {"input_tokens": tokens, "cached_input_tokens": tokens // 4, "output_tokens": tokens // 2}
    return {"type": "turn.completed", "usage": usage}


def test_codex_counts_from_the_beginning_of_a_session_that_goes_on(tmp_path: Path) -> None:
    before = Usage(input=240, output=120, cached=60)
    begun = {"type": "thread.started", "thread_id": "t1"}
    ended, _ = told("codex", tmp_path, [begun, turn(360)], session_id="t1", used_before=before)
    assert ended.usage == Usage(input=120, output=60, cached=30)


def test_codex_counts_all_of_a_session_that_is_another_one(tmp_path: Path) -> None:
    begun = {"type": "thread.started", "thread_id": "t2"}
    ended, _ = told("codex", tmp_path, [begun, turn(360)], session_id="t1", used_before=Usage(input=240, output=120))
    assert ended.usage == Usage(input=360, output=180, cached=90)

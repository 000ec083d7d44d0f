"""The log of a run: everything by time, each entry once, in pages that a cursor joins."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from foundation.clock import now
from foundation.errors import BadInput
from foundation.identity.actor import CONSOLE_ROLES, Actor
from orchestration.core.enums import Outcome, Verb
from orchestration.models import Command, Event, Run, RunLine
from orchestration.runs import act, run_log, start_run

ADA = Actor(name="ada", door="python", roles=CONSOLE_ROLES)
DEFINITION = {
    "saga_id": "log",
    "steps": [{"step_id": name, "forward_action": {"type": "wait", "seconds": 60}} for name in ("a", "b")],
}
pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def run() -> Run:
    found, _ = start_run(definition=DEFINITION, actor=ADA, engine="celery", workflow_id="log-1")
    Event.objects.all().delete()
    return found


def at(seconds: float) -> datetime:
    return now() - timedelta(hours=1) + timedelta(seconds=seconds)


def lines(run: Run, first: int, number: int, *, seconds: float = 0.0, step: str = "a", **more: Any) -> None:
    RunLine.objects.bulk_create(
        RunLine(
            run=run, step_id=step, n=n, at=at(seconds), text=f"{step} {n}", **{"logger": "shop", "level": 20, **more}
        )
        for n in range(first, first + number)
    )


def event(run: Run, seq: int, kind: str, seconds: float, step: str = "", **data: Any) -> None:
    Event.objects.create(run=run, seq=seq, at=at(seconds), kind=kind, step_id=step, data=data)


def attempt(run: Run, number: int = 1, *, ago: float = 3600, **more: Any) -> None:
    ended = now() - timedelta(seconds=ago)
    Command.objects.create(
        run=run, kind="run_action", step_id="a", iteration=1, attempt=number, due_at=ended, status="done", worker="w1",
        started_at=ended - timedelta(seconds=2), ended_at=ended, outcome=Outcome.FAILED, **more,
    )  # fmt: skip


def messages(run: Run, **asked: Any) -> list[str]:
    return [entry["message"] for entry in run_log.log_entries(run, **asked)]


def test_events_attempts_lines_and_acts_come_by_time_with_all_their_keys(run: Run) -> None:
    attempt(run)
    event(run, 1, "run.started", 0)
    lines(run, 1, 1, seconds=1)
    event(run, 2, "step.attempt_ended", 2, "a", attempt=1, outcome="failed", error="HTTP 422")
    act(workflow_id=run.workflow_id, verb=Verb.HOLD, actor=ADA, note="wrong price")
    found = [entry for entry in run_log.log_entries(run) if entry["data"].get("action") != "run.start"]
    told = [(entry["source"], entry["level"], entry["message"]) for entry in found]
    assert told[:3] == [
        ("event", "INFO", "the run started"),
        ("line", "INFO", "a 1"),
        ("attempt", "ERROR", "attempt 1 of 'a' failed: HTTP 422"),
    ]
    assert ("audit", "INFO", "ada did run.hold by python: wrong price") in told
    assert found[2] == {
        "at": found[2]["at"], "seq": found[2]["seq"], "source": "attempt", "level": "ERROR", "step_id": "a",
        "attempt": 1, "session": None, "worker": "w1", "message": "attempt 1 of 'a' failed: HTTP 422", "trace_id": None,
        "data": {"kind": "step.attempt_ended", "attempt": 1, "outcome": "failed", "error": "HTTP 422", "seconds": 2.0},
    }  # fmt: skip
    assert found[1]["worker"] == "w1" and found[1]["data"] == {"logger": "shop", "purpose": "forward"}


def test_pages_of_any_size_give_each_entry_once_and_in_the_same_order(run: Run) -> None:
    for seq in range(1, 8):
        event(run, seq, "step.running", seq * 2, "a", attempt=1)
    for n in range(1, 8):
        lines(run, n, 1, seconds=n * 3)
    whole = run_log.log_entries(run)
    assert len({entry["seq"] for entry in whole}) == len(whole) == 15
    for size in (1, 2, 5):
        found: list[dict[str, Any]] = []
        while page := run_log.log_entries(run, after=found[-1]["seq"] if found else "", limit=size):
            found += page
        assert found == whole
    assert whole[-1]["seq"] == run_log.log_position(run)


def test_a_line_that_is_written_late_comes_once_and_nothing_is_passed_over(run: Run) -> None:
    event(run, 1, "run.started", 0)
    lines(run, 1, 2, seconds=10)
    first = run_log.log_entries(run)
    lines(run, 1, 2, seconds=5, step="b")
    event(run, 2, "run.held", 11, reason="by ada")
    rest = run_log.log_entries(run, after=first[-1]["seq"])
    assert [entry["message"] for entry in rest] == ["b 1", "b 2", "the run is held: by ada"]
    assert run_log.log_entries(run, after=rest[-1]["seq"]) == []


def test_filters_leave_out_what_is_not_asked_for_and_share_their_cursors(run: Run) -> None:
    lines(run, 1, 3, seconds=1)
    lines(run, 1, 2, seconds=2, step="b", level=30)
    event(run, 1, "step.failed", 3, "b", attempt=1)
    assert messages(run, step_id="b") == ["b 1", "b 2", "step 'b' is failed"]
    assert messages(run, level="WARNING") == ["b 1", "b 2", "step 'b' is failed"]
    assert messages(run, level="error") == ["step 'b' is failed"]
    first = run_log.log_entries(run, level="warning", limit=1)[0]["seq"]
    assert messages(run, level="error", after=first) == ["step 'b' is failed"]
    assert "b 2" in messages(run, after=first) and "b 1" not in messages(run, after=first)


def test_more_rows_than_a_look_takes_do_not_end_a_filtered_page(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.runs.run_log.sources.PAGE", 3)
    for seq in range(1, 10):
        event(run, seq, "step.running", seq, "a", attempt=1)
    event(run, 10, "step.failed", 10, "a", attempt=1)
    assert messages(run, level="error") == ["step 'a' is failed"]


def test_what_an_old_script_printed_is_told_with_its_attempt_and_not_twice(run: Run) -> None:
    detail = {"exit_code": 1, "stderr": "no such file", "truncated": False}
    attempt(run, 1, detail=detail, output={"stdout": "looking"})
    attempt(run, 2, detail=detail)
    attempt(run, 3, detail=detail, ago=1)
    lines(run, 1, 1, attempt=2, logger="stderr")
    for number in (1, 2, 3):
        event(run, number, "step.attempt_ended", number, "a", attempt=number, outcome="failed")
    old, with_lines, fresh = [one["data"] for one in run_log.log_entries(run) if one["source"] == "attempt"]
    assert (old["stdout"], old["stderr"], old["exit_code"]) == ("looking", "no such file", 1)
    assert "stderr" not in with_lines, "it is there line by line"
    assert "stderr" not in fresh, "its lines may still be on their way"


def test_the_last_entries_are_those_of_the_whole_log(run: Run) -> None:
    for n in range(1, 6):
        lines(run, n, 1, seconds=n)
        event(run, n, "step.running", n + 0.5, "b", attempt=1)
    whole = run_log.log_entries(run)
    assert [entry["message"] for entry in run_log.latest_entries(run, 4)] == [one["message"] for one in whole[-4:]]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"level": "loud"}, "level"), ({"level": 30}, "level"), ({"after": "x"}, "after"), ({"after": "1.2"}, "after"),
        ({"after": "1.2.3\n"}, "after"), ({"after": "9" * 19 + ".0.0"}, "after"), ({"limit": 0}, "limit"),
        ({"limit": 10_001}, "limit"), ({"limit": True}, "limit"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_by_its_field(run: Run, asked: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        run_log.log_entries(run, **asked)
    assert refused.value.field == field


def test_a_cursor_beyond_everything_finds_nothing(run: Run) -> None:
    lines(run, 1, 1)
    assert run_log.log_entries(run, after=".".join(["9" * 18] * 3)) == []


def test_a_step_that_the_run_does_not_have_is_refused_with_the_one_that_was_meant() -> None:
    long = {**DEFINITION, "steps": [{"step_id": "reserve", "forward_action": {"type": "wait", "seconds": 60}}]}
    found, _ = start_run(definition=long, actor=ADA, engine="celery")
    with pytest.raises(BadInput) as refused:
        run_log.log_entries(found, step_id="resreve")
    assert refused.value.field == "step_id" and refused.value.remedy == "did you mean 'reserve'?"
    with pytest.raises(BadInput) as refused:
        run_log.log_entries(found, step_id="zzz")
    assert refused.value.remedy == "its steps: reserve"

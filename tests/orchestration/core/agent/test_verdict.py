"""The table of verdicts, cell by cell, and what holds of every attempt whatever happened in it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.core.agent.evidence import CheckResult, DiffStat, FileChange, FileKind
from orchestration.core.agent.session import Ended, EndReason, Question
from orchestration.core.agent.verdict import (
    BY_ITSELF,
    Asked,
    Next,
    Then,
    Verdict,
    after,
    facts_of,
    verdict_of,
)

RESET = datetime(2026, 1, 2, 3, tzinfo=UTC)


def ended(
    reason: str = "end_turn", *, denied: tuple[str, ...] = (), question: Question | None = None, error: str = ""
) -> Ended:
    return Ended(reason=EndReason(reason), denied=denied, question=question, error=error)


def asks(kind: Literal["permission", "question"]) -> Question:
    return Question(id="q1", kind=kind, text="May I?")


def check(*, passed: bool) -> CheckResult:
    return CheckResult(
        command="make test",
        passed=passed,
        exit_code=0 if passed else 1,
        output_excerpt="",
        seconds=1.0,
        digest="",
        why="" if passed else "it ended with 1",
    )


def change(path: str = "a.py") -> FileChange:
    return FileChange(path=path, status="M", added=1, removed=0, kind=FileKind.CODE)


DIFF, NONE = DiffStat(files=(change(),)), DiffStat()
GREEN, RED = check(passed=True), check(passed=False)


@pytest.mark.parametrize(
    ("how", "diff", "checks", "tampering", "verdict"),
    [
        (ended(), DIFF, [GREEN], [], Verdict.DONE),
        (ended(), DIFF, [], [], Verdict.DONE),
        (ended("max_turns"), DIFF, [GREEN], [], Verdict.DONE),
        (ended(denied=("Bash",)), DIFF, [GREEN], [], Verdict.DONE),
        (ended(), NONE, [], [], Verdict.EMPTY),
        (ended(), NONE, [RED], [], Verdict.EMPTY),
        (ended(), DIFF, [GREEN, RED], [], Verdict.LIED),
        (ended(), DIFF, [GREEN], ["tests/test_a.py: test_x was deleted"], Verdict.LIED),
        (ended(denied=("Write",)), DIFF, [GREEN], ["tests/test_a.py: test_x was deleted"], Verdict.LIED),
        (ended(denied=("Write",)), NONE, [], [], Verdict.DENIED),
        (ended(denied=("Write",)), DIFF, [RED], [], Verdict.DENIED),
        (ended(denied=("Write",)), DIFF, [], [], Verdict.DENIED),
        (ended("suspended", question=asks("permission")), DIFF, [], [], Verdict.DENIED),
        (ended("suspended", question=asks("question")), NONE, [], [], Verdict.BLOCKED),
        (ended("suspended"), NONE, [], [], Verdict.BLOCKED),
        (ended("refusal"), NONE, [], [], Verdict.BLOCKED),
        (ended("stalled"), DIFF, [], [], Verdict.STALLED),
        (ended("timed_out"), DIFF, [], [], Verdict.STALLED),
        (ended("crashed"), DIFF, [GREEN], [], Verdict.CRASHED),
        (ended("cancelled"), NONE, [], [], Verdict.CRASHED),
        (ended("auth"), NONE, [], [], Verdict.AUTH),
        (ended("rate_limited"), DIFF, [], [], Verdict.RATE_LIMITED),
        (ended("over_budget"), DIFF, [], [], Verdict.OVER_BUDGET),
        (ended("max_turns"), DIFF, [RED], [], Verdict.OVER_BUDGET),
        (ended("max_turns"), DIFF, [], [], Verdict.OVER_BUDGET),
    ],
)
def test_the_table(
    how: Ended, diff: DiffStat, checks: list[CheckResult], tampering: list[str], verdict: Verdict
) -> None:
    assert verdict_of(how, diff, checks, tampering) is verdict


def test_a_task_that_was_to_change_nothing_is_done_without_a_diff() -> None:
    assert verdict_of(ended(), NONE, [GREEN], [], diff_due=False) is Verdict.DONE


AGAIN = Next(then=Then.AGAIN, another=True, tell=True)
PERSON = Next(then=Then.ASK, asked=Asked.TASK_FAILED, tell=True)


@pytest.mark.parametrize(
    ("verdict", "attempt", "lies", "follows"),
    [
        (Verdict.DONE, 1, 0, Next(then=Then.MERGE)),
        (Verdict.EMPTY, 1, 0, AGAIN),
        (Verdict.EMPTY, 3, 0, PERSON),
        (Verdict.LIED, 1, 1, AGAIN),
        (Verdict.LIED, 2, 1, AGAIN),
        (Verdict.LIED, 2, 2, PERSON),
        (Verdict.LIED, 3, 1, PERSON),
        (Verdict.DENIED, 3, 0, Next(then=Then.ASK, asked=Asked.PERMISSION, tell=True, resume=True)),
        (Verdict.BLOCKED, 1, 0, Next(then=Then.ASK, asked=Asked.QUESTION, tell=True, resume=True)),
        (Verdict.STALLED, 1, 0, AGAIN),
        (Verdict.CRASHED, 2, 0, AGAIN),
        (Verdict.CRASHED, 3, 0, PERSON),
        (Verdict.AUTH, 1, 0, Next(then=Then.AGAIN, another=True, out_of_service=True, tell=True)),
        (Verdict.AUTH, 3, 0, Next(then=Then.ASK, asked=Asked.TASK_FAILED, out_of_service=True, tell=True)),
        (Verdict.RATE_LIMITED, 1, 0, Next(then=Then.AGAIN, another=True, not_before=RESET, tell=True)),
        (Verdict.OVER_BUDGET, 1, 0, Next(then=Then.ASK, asked=Asked.BUDGET, tell=True, resume=True)),
    ],
)
def test_what_follows(verdict: Verdict, attempt: int, lies: int, follows: Next) -> None:
    retry_at = RESET if verdict is Verdict.RATE_LIMITED else None
    assert after(verdict, attempt=attempt, max_attempts=3, lies=lies, retry_at=retry_at) == follows


def test_an_attempt_before_the_first_is_refused() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        after(Verdict.DONE, attempt=0, max_attempts=3)


endings = st.builds(
    Ended,
    reason=st.sampled_from(EndReason),
    denied=st.lists(st.just("Bash"), max_size=2).map(tuple),
    question=st.sampled_from([None, asks("permission"), asks("question")]),
    error=st.text(max_size=5),
)
diffs = st.sampled_from([DIFF, NONE])
runs = st.lists(st.sampled_from([GREEN, RED]), max_size=3)
found = st.lists(st.just("tests/test_a.py: a skip was added"), max_size=2)


@given(endings, diffs, runs, found)
def test_done_is_only_what_is_proved(
    how: Ended, diff: DiffStat, checks: list[CheckResult], tampering: list[str]
) -> None:
    verdict = verdict_of(how, diff, checks, tampering)
    if verdict is Verdict.DONE:
        assert diff.files and not tampering and all(one.passed for one in checks)
        assert checks or (how.reason is EndReason.END_TURN and not how.denied)
    else:
        assert facts_of(how, diff, checks, tampering) or how.reason is EndReason.SUSPENDED


@given(endings, diffs, runs, found)
def test_tampering_and_red_checks_never_pass_a_session_that_calls_itself_done(
    how: Ended, diff: DiffStat, checks: list[CheckResult], tampering: list[str]
) -> None:
    verdict = verdict_of(how, diff, checks, tampering)
    if how.reason in BY_ITSELF:
        assert verdict is BY_ITSELF[how.reason]
    elif tampering and how.reason is not EndReason.SUSPENDED:
        assert verdict is Verdict.LIED
    if any(not one.passed for one in checks):
        assert verdict is not Verdict.DONE


@given(st.lists(st.sampled_from(Verdict), min_size=30, max_size=30), st.integers(1, 9))
def test_no_task_is_tried_for_ever(verdicts: list[Verdict], max_attempts: int) -> None:
    """As the action plays it: until something other than another attempt follows."""
    lies = 0
    for attempt, verdict in enumerate(verdicts, 1):
        lies += verdict is Verdict.LIED
        follows = after(verdict, attempt=attempt, max_attempts=max_attempts, lies=lies)
        if follows.then is not Then.AGAIN:
            break
    assert attempt <= max_attempts and lies <= 2
    assert (follows.then is Then.MERGE) == (verdict is Verdict.DONE)
    assert (follows.asked is None) == (verdict is Verdict.DONE)


@given(st.sampled_from(Verdict), st.integers(1, 9), st.integers(0, 3))
def test_only_what_a_person_answers_goes_on_in_the_same_session(verdict: Verdict, attempt: int, lies: int) -> None:
    follows = after(verdict, attempt=attempt, max_attempts=3, lies=lies, retry_at=RESET + timedelta(hours=1))
    assert follows.resume == (verdict in {Verdict.DENIED, Verdict.BLOCKED, Verdict.OVER_BUDGET})
    assert follows.out_of_service == (verdict is Verdict.AUTH)
    assert follows.then is not Then.AGAIN or (follows.another and follows.tell)


def test_a_diff_shows_tests_and_configuration_apart() -> None:
    tests = FileChange(path="tests/test_a.py", status="D", added=0, removed=9, kind=FileKind.TEST)
    config = FileChange(path="pytest.ini", status="A", added=3, removed=None, kind=FileKind.CONFIG)
    shown = DiffStat(files=(change(), tests, config), notes=("pipe: a FIFO",)).to_json()
    assert shown["files_changed"] == 3 and shown["added"] == 4 and shown["removed"] == 9
    assert shown["tests"] == [tests.to_json()] and shown["config"] == [config.to_json()]
    assert shown["notes"] == ["pipe: a FIFO"]


def test_the_page_has_every_verdict_in_this_order() -> None:
    page = Path(__file__).parents[4] / "docs" / "explanation" / "verdicts.md"
    assert re.findall(r"^\| `(\w+)` \|", page.read_text(), re.MULTILINE) == [one.value for one in Verdict]

"""How an attempt of an agent is judged, and what follows: from the result object, the diff and our checks alone.

An agent's exit code and its prose decide nothing: what our checks prove is done, also when a tool was refused or the
turns were used up; what they do not prove is not done, whatever the agent says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from orchestration.core.agent.evidence import CheckResult, DiffStat
from orchestration.core.agent.session import Ended, EndReason

MOST_LIES = 2
"""A second lie goes to a person, whatever `max_attempts` says."""


class Verdict(StrEnum):
    """What an attempt came to."""

    DONE = "done"
    EMPTY = "empty"
    LIED = "lied"
    DENIED = "denied"
    BLOCKED = "blocked"
    STALLED = "stalled"
    CRASHED = "crashed"
    AUTH = "auth"
    RATE_LIMITED = "rate_limited"
    OVER_BUDGET = "over_budget"


BY_ITSELF: Mapping[EndReason, Verdict] = {
    EndReason.CRASHED: Verdict.CRASHED,
    EndReason.CANCELLED: Verdict.CRASHED,
    EndReason.STALLED: Verdict.STALLED,
    EndReason.TIMED_OUT: Verdict.STALLED,
    EndReason.AUTH: Verdict.AUTH,
    EndReason.RATE_LIMITED: Verdict.RATE_LIMITED,
    EndReason.OVER_BUDGET: Verdict.OVER_BUDGET,
    EndReason.REFUSAL: Verdict.BLOCKED,
}
"""Reasons that are a verdict by themselves. `cancelled` by us is not judged: the run is ending."""
JUDGED = (EndReason.END_TURN, EndReason.MAX_TURNS)
"""Reasons that say only that the session is over: the diff and the checks tell the verdict."""


def verdict_of(
    ended: Ended,
    diff: DiffStat,
    checks: Sequence[CheckResult],
    tampering: Sequence[str],
    *,
    diff_due: bool = True,
) -> Verdict:
    """The verdict of an attempt. `diff_due`: whether the task was to change files.

    `checks`: our own runs, from a clean checkout; none are needed where the reason is a verdict by itself, or where the
    diff is empty. `tampering`: what was found weakened, skipped or deleted in tests.
    """
    if ended.reason in BY_ITSELF:
        return BY_ITSELF[ended.reason]
    if ended.reason is EndReason.SUSPENDED:
        return Verdict.DENIED if ended.question is not None and ended.question.kind == "permission" else Verdict.BLOCKED
    empty = diff.is_empty and diff_due
    red = [one for one in checks if not one.passed]
    claimed = ended.reason is EndReason.END_TURN and not ended.denied
    if not (empty or red or tampering) and (checks or claimed):
        return Verdict.DONE
    if tampering:
        return Verdict.LIED
    if ended.denied:
        return Verdict.DENIED
    if ended.reason is EndReason.MAX_TURNS:
        return Verdict.OVER_BUDGET
    return Verdict.EMPTY if empty else Verdict.LIED


def facts_of(ended: Ended, diff: DiffStat, checks: Sequence[CheckResult], tampering: Sequence[str]) -> tuple[str, ...]:
    """What the verdict rests on, a line each: for the next attempt's brief and for the person who is asked."""
    facts = list(tampering)
    facts += [f"the check `{one.command}` did not pass: {one.why}" for one in checks if not one.passed]
    facts += [f"the tool '{name}' was refused" for name in dict.fromkeys(ended.denied)]
    if ended.reason is EndReason.SUSPENDED and ended.question is not None:
        facts.append(f"the agent asks: {ended.question.text}")
    if ended.reason in JUDGED and diff.is_empty:
        facts.append("no file was changed")
    if ended.reason is EndReason.MAX_TURNS:
        facts.append("the session reached its limit of turns")
    if ended.reason in BY_ITSELF:
        facts.append(f"the session ended as {ended.reason}" + (f": {ended.error}" if ended.error else ""))
    return (*facts, *diff.notes)


class Then(StrEnum):
    """What follows a verdict."""

    MERGE = "merge"
    AGAIN = "again"
    ASK = "ask"


class Asked(StrEnum):
    """What a person is asked. PERMISSION and QUESTION: the answer goes back into the same session."""

    PERMISSION = "permission"
    QUESTION = "question"
    BUDGET = "budget"
    TASK_FAILED = "task-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What to do after an attempt.

    `another`: on another endpoint, where there is one. `out_of_service`: take the endpoint out of service and alert.
    `not_before`: an aware moment before which this endpoint is of no use; without another one the attempt waits for it.
    `tell`: put the facts of the attempt into the next brief. `resume`: the next session continues this one.
    """

    then: Then
    asked: Asked | None = None
    another: bool = False
    out_of_service: bool = False
    not_before: datetime | None = None
    tell: bool = False
    resume: bool = False


def after(
    verdict: Verdict, *, attempt: int, max_attempts: int, lies: int = 0, retry_at: datetime | None = None
) -> Next:
    """What follows the verdict of an attempt (from 1) of a task that may have `max_attempts`.

    `lies`: how many attempts of this task were judged `lied`, this one among them. `retry_at`: when a rate limit is
    reset, as the driver heard it. An endpoint without a valid login goes out of service also when no attempt is left.

    Raises:
        ValueError: attempts are counted from 1, and a task has at least one.
    """
    if attempt < 1 or max_attempts < 1:
        raise ValueError(f"attempt {attempt} of {max_attempts}: both are counted from 1")
    last = attempt >= max_attempts
    match verdict:
        case Verdict.DONE:
            return Next(then=Then.MERGE)
        case Verdict.DENIED:
            return Next(then=Then.ASK, asked=Asked.PERMISSION, tell=True, resume=True)
        case Verdict.BLOCKED:
            return Next(then=Then.ASK, asked=Asked.QUESTION, tell=True, resume=True)
        case Verdict.OVER_BUDGET:
            return Next(then=Then.ASK, asked=Asked.BUDGET, tell=True, resume=True)
        case Verdict.LIED:
            return _again(last=last or lies >= MOST_LIES)
        case Verdict.EMPTY | Verdict.STALLED | Verdict.CRASHED:
            return _again(last=last)
        case Verdict.AUTH:
            return _again(last=last, out_of_service=True)
        case Verdict.RATE_LIMITED:
            return _again(last=last, not_before=retry_at)
        case _:
            assert_never(verdict)


def _again(*, last: bool, out_of_service: bool = False, not_before: datetime | None = None) -> Next:
    """Once more with the facts, on another endpoint where there is one; after the last attempt a person decides."""
    if last:
        return Next(then=Then.ASK, asked=Asked.TASK_FAILED, out_of_service=out_of_service, tell=True)
    return Next(then=Then.AGAIN, another=True, out_of_service=out_of_service, not_before=not_before, tell=True)

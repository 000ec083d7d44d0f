"""Why a model or its service said no, read from what an agent reports. For ends of sessions only, never for
success."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from orchestration.core.agent.session import EndReason

AUTH = re.compile(
    r"not logged in|please run /?login|log ?in (?:again|required)|authenticat|unauthori[sz]ed"
    r"|invalid[ _-]*(?:x-)?api[ _-]*key|api[ _-]*key (?:is )?(?:missing|not (?:set|found)|required|expired)|no api key"
    r"|\b401\b|\b403\b|credit balance|insufficient_quota|billing|missing credentials|auth method"
    r"|missing environment variable|must specify the \w*API_KEY|\w*API_KEY environment variable",
    re.IGNORECASE,
)
"""Also a purse that is empty: this endpoint works again only after a person did something."""
RATE = re.compile(
    r"rate[ _-]*limit|\b429\b|usage limit|too many requests|quota (?:exceeded|exhausted)|resource_exhausted|overloaded"
    r"|\b529\b|limit (?:will )?resets?",
    re.IGNORECASE,
)
IN_SECONDS = re.compile(
    r"(?:retry|try again|resets?)[^.\n]{0,40}?\bin\s+(\d+(?:\.\d+)?)\s*"
    r"(ms|milliseconds?|s|sec(?:ond)?s?|m|min(?:ute)?s?|h|hours?)\b",
    re.IGNORECASE,
)
RETRY_AFTER = re.compile(r"retry[-_ ]?after[\"']?\s*[:=]?\s*[\"']?(\d+(?:\.\d+)?)", re.IGNORECASE)
MOMENT = re.compile(
    r"(?:resets?|retry|until|again)[^\n]{0,60}?\b(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))",
    re.IGNORECASE,
)
EPOCH = re.compile(r"(?:resets?|limit reached)[^0-9\n]{0,20}(\d{10})\b", re.IGNORECASE)
UNITS = {"ms": 0.001, "mi": 60.0, "m": 60.0, "s": 1.0, "h": 3600.0}
LONGEST_WAIT = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """`retry_after`: seconds from now; `retry_at`: an aware moment. At most one of them."""

    reason: EndReason
    retry_after: float | None = None
    retry_at: datetime | None = None


def failure_of(text: str) -> Failure:
    """A rate limit with its end, a refused sign-in, or else a crash."""
    if RATE.search(text):
        return Failure(reason=EndReason.RATE_LIMITED, retry_after=_wait(text), retry_at=_moment(text))
    return Failure(reason=EndReason.AUTH if AUTH.search(text) else EndReason.CRASHED)


def _wait(text: str) -> float | None:
    if found := RETRY_AFTER.search(text):
        return min(float(found[1]), LONGEST_WAIT)
    if found := IN_SECONDS.search(text):
        unit = found[2].lower()
        seconds = UNITS["ms"] if unit.startswith(("ms", "milli")) else UNITS.get(unit[:2], UNITS[unit[0]])
        return min(float(found[1]) * seconds, LONGEST_WAIT)
    return None


def _moment(text: str) -> datetime | None:
    if _wait(text) is not None:
        return None
    if found := MOMENT.search(text):
        return datetime.fromisoformat(found[1])
    if found := EPOCH.search(text):
        return datetime.fromtimestamp(int(found[1]), UTC)
    return None

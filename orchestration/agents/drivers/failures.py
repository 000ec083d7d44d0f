"""Why a model or its service said no, read from what an agent reports. For ends of sessions only, never for
success."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from foundation import clock
from orchestration.agents.drivers.limits import moment_of, wait_of
from orchestration.core.agent.session import EndReason


def _status(*codes: int) -> str:
    """A status of HTTP where it is one: numbers of lines, ports and folders look alike."""
    number = f"(?:{'|'.join(map(str, codes))})"
    named = r"\b(?:http(?:/\d(?:\.\d)?)?|status(?:[ _-]?code)?|code|api[ _-]?error)[\"']?[ \t]*[:=(]?[ \t]*[\"']?"
    said = r"(?:unauthori[sz]ed|forbidden|incorrect|invalid|payment|too many|overloaded|rate|client error|\{)"
    bare = rf"(?:^|(?<=\s))\({number}\)|(?:^|(?<=[\s:'\"])){number}[,:]?\s+{said}"
    return rf"(?:{named}|\berror ){number}\b(?![.:]\d)|{bare}"


_OF_THE_TASK = r"(?:context|token|turn|output|step|time|file|memory|size|recursion|retry)"
AUTH = re.compile(
    rf"{_status(401, 402, 403)}"
    r"|not logged in|please run /?login|log ?in (?:again|required)|sign(?:ed)? in again|unauthori[sz]ed"
    r"|authentication[ _-]*(?:error|fail|required|expired|token)|not authenticated|auth(?:entication)? method"
    r"|(?:failed|unable|could not|cannot|must|need to|have to|please) (?:to )?(?:re-?)?authenticate"
    r"|(?:token|credentials?|session) (?:has |have |is |was |are )?(?:expired|revoked)|token refresh failed"
    r"|token could not be refreshed|invalid (?:bearer|access|auth\w*|refresh) token"
    r"|invalid[ _-]*(?:x-)?api[ _-]*key|incorrect api key"
    r"|api[ _-]*key (?:is )?(?:missing|not (?:set|found|valid)|required|expired|invalid)|no api key"
    r"|credit balance|out of credits|insufficient[ _](?:quota|credits|balance|funds)|payment required"
    r"|billing (?:details|error|hard limit|limit|is|account)|billing_\w+|missing credentials"
    r"|missing environment variable|must specify the \w*API_KEY|\w*API_KEY environment variable",
    re.IGNORECASE | re.MULTILINE,
)
"""Also a purse that is empty: this endpoint works again only after a person did something."""
RATE = re.compile(
    rf"{_status(429, 529)}"
    r"|\brate[ _-]*limit(?:s|ed|_?error|_?exceeded)?\b(?!\.\w)|too many requests|usage[ _]limit|resource_exhausted"
    r"|quota (?:exceeded|exhausted)|exhausted your \w+|quota will reset"
    rf"|(?:hit|reached|exceeded) (?:your|the) (?!(?:[\w-]+ ){{0,2}}{_OF_THE_TASK})(?:[\w-]+ ){{0,2}}limit"
    r"|\b(?:session|weekly|daily|monthly|hourly|request|message|plan|opus|sonnet|\d+-(?:hour|day)) limit"
    r" (?:was |has been |is )?(?:reached|hit|exceeded)"
    r"|limit\W{1,3}resets|limit (?:will )?resets?"
    r"|overloaded_error|\b(?:is|are|currently|temporarily|model|server|service|api|engine) overloaded"
    r"|^\W*overloaded\b|error:? +overloaded",
    re.IGNORECASE | re.MULTILINE,
)


LONGEST_END = 2000
"""Characters. Patterns may take as long as the square of what they search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """`retry_after`: seconds from now; `retry_at`: an aware moment. At most one of them."""

    reason: EndReason
    retry_after: float | None = None
    retry_at: datetime | None = None


def failure_of(text: str) -> Failure:
    """A rate limit with its end, a refused sign-in, or else a crash. Of a long text its two ends are read."""
    if len(text) > 2 * LONGEST_END:
        text = f"{text[:LONGEST_END]}\n{text[-LONGEST_END:]}"
    if RATE.search(text):
        wait = wait_of(text)
        moment = moment_of(text, clock.now()) if wait is None else None
        return Failure(reason=EndReason.RATE_LIMITED, retry_after=wait, retry_at=moment)
    return Failure(reason=EndReason.AUTH if AUTH.search(text) else EndReason.CRASHED)

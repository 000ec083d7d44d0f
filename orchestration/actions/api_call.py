"""`api_call`: one HTTP request, and what its answer means (rule 4)."""

from __future__ import annotations

import dataclasses
import time

import h11
import httpcore2
import httpx2
from pydantic import JsonValue

from orchestration.actions.answer import LONGEST_URL, judged, kept_headers
from orchestration.actions.base import Call, Result
from orchestration.actions.breaker import COUNTS, name_of, through
from orchestration.actions.exchange import Answer, Trail, exchange
from orchestration.actions.redaction import head
from orchestration.actions.redirects import NotFollowed
from orchestration.actions.transport import Refused, begin, has_sent
from orchestration.core.words import Outcome

LONGEST_CALL = 60.0
"""Seconds of one of the calls that `until` makes."""
NO_ANSWER = (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError, httpx2.HTTPError)


def api_call(call: Call) -> Result:
    try:
        url = httpx2.URL(str(call.action["url"]))
        host = url.host  # one such as xn--..x breaks here
    except (httpx2.InvalidURL, UnicodeError) as error:
        return Result(outcome=Outcome.FAILED, error=f"the URL cannot be used: {error}")
    if url.scheme not in ("http", "https") or not host:
        return Result(outcome=Outcome.FAILED, error="the URL needs http:// or https:// and a host")
    if url.userinfo:
        return Result(outcome=Outcome.FAILED, error="the URL holds credentials; use auth, with {secret:NAME}")
    host = f"{host}:{url.port or (443 if url.scheme == 'https' else 80)}"
    name = name_of(call, str(call.action.get("method", "GET")), host, url.path)
    return through(name, lambda: _attempt(call, url))


def _attempt(call: Call, url: httpx2.URL) -> Result:
    trail, started = Trail(), time.monotonic()
    begin(_seconds_of(call))
    return _with_trail(_asked(call, url, trail, started), trail)


def _seconds_of(call: Call) -> float:
    """The bound of this call: the attempt's, of which `until` has used some."""
    if call.action.get("until") is None:
        return call.timeout_seconds
    return max(1.0, min(LONGEST_CALL, call.timeout_seconds - call.polled_seconds))


def _asked(call: Call, url: httpx2.URL, trail: Trail, started: float) -> Result:
    try:
        answer = exchange(call, url, trail)
    except (Refused, NotFollowed) as reason:
        return Result(outcome=Outcome.FAILED, error=str(reason))
    except (httpcore2.LocalProtocolError, h11.LocalProtocolError, ValueError) as error:
        return _not_built(error)
    except NO_ANSWER as error:
        return _lost(error, call, url, time.monotonic() - started)
    return dataclasses.replace(judged(call, answer), detail=_detail(answer, trail, time.monotonic() - started))


def _not_built(error: Exception) -> Result:
    """What the library refuses to write: nothing was sent, unless it broke off in the middle."""
    reason = f"the request cannot be built: {error}"
    if has_sent():
        return Result(outcome=Outcome.UNKNOWN, maybe=True, error=f"{reason}, after some of it was sent")
    return Result(outcome=Outcome.FAILED, error=reason)


def _detail(answer: Answer, trail: Trail, seconds: float) -> dict[str, JsonValue]:
    detail: dict[str, JsonValue] = {
        "status": answer.status,
        "seconds": round(seconds, 4),
        "headers": kept_headers(answer.headers),
        "url": str(answer.url.copy_with(query=None, fragment=None)),
    }
    if answer.status >= 500 and not trail.hops:
        detail[COUNTS] = True
    return detail


def _with_trail(result: Result, trail: Trail) -> Result:
    """What redirects on the way say about the end: where they led, and that something may have been done."""
    hops: dict[str, JsonValue] = {"redirects": [*trail.hops]} if trail.hops else {}
    done = trail.acted and result.outcome is not Outcome.SUCCEEDED
    return dataclasses.replace(result, maybe=result.maybe or done, detail={**result.detail, **hops})


def _lost(error: Exception, call: Call, url: httpx2.URL, seconds: float) -> Result:
    """No answer: possibly done once anything was sent, else certainly not done."""
    sent = has_sent() and not isinstance(error, httpcore2.ConnectError | httpcore2.ConnectTimeout)
    timed_out = isinstance(error, httpcore2.TimeoutException)
    said = str(error) or type(error).__name__
    what = f"timed out after {seconds:.1f} s" if timed_out else f"the connection failed ({said})"
    return Result(
        outcome=Outcome.UNKNOWN if sent else Outcome.RETRYABLE,
        maybe=sent,
        error=f"{call.action.get('method', 'GET')} {head(str(url), LONGEST_URL)}: {what}"
        + (", after the request was sent" if sent else ", before anything was sent"),
        detail={"seconds": round(seconds, 4), COUNTS: True},
    )

"""`api_call`: one HTTP request, and what its answer means (rule 4)."""

from __future__ import annotations

import dataclasses
import time

import h11
import httpcore2
import httpx2
from pydantic import JsonValue

from foundation.outbound.guarded_connections import Refused, has_sent
from foundation.outbound.redirects import NotFollowed
from foundation.outbound.transport import NO_ANSWER, begin
from orchestration.actions.base import Call, Result
from orchestration.actions.http.answer import body_shown, called, judged, kept_headers
from orchestration.actions.http.breaker import COUNTS, name_of, through
from orchestration.actions.http.exchange import Answer, Trail, exchange
from orchestration.actions.http.request import with_query
from orchestration.core.enums import Outcome

LONGEST_CALL = 60.0
"""Seconds of one of the calls that `until` makes."""


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
    except NotFollowed as reason:  # says itself what was called
        return Result(outcome=Outcome.FAILED, error=str(reason))
    except Refused as reason:
        return Result(outcome=Outcome.FAILED, error=f"{_called(call, url)}: {reason}")
    except (httpcore2.LocalProtocolError, h11.LocalProtocolError, ValueError) as error:
        return _not_built(error, called(_method(call), str(url)))
    except NO_ANSWER as error:
        return _lost(error, call, url, time.monotonic() - started)
    result, detail = judged(call, answer), _detail(answer, trail, time.monotonic() - started)
    if result.outcome not in (Outcome.SUCCEEDED, Outcome.PARKED) and (body := body_shown(answer)):
        detail["body"] = body
    return dataclasses.replace(result, detail=detail)


def _method(call: Call) -> str:
    return str(call.action.get("method", "GET"))


def _called(call: Call, url: httpx2.URL) -> str:
    return called(_method(call), str(with_query(url, call.action)))


def _not_built(error: Exception, what: str) -> Result:
    """What the library refuses to write: nothing was sent, unless it broke off in the middle."""
    reason = f"{what}: the request cannot be built: {error}"
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
        error=f"{_called(call, url)}: {what}"
        + (", after the request was sent" if sent else ", before anything was sent"),
        detail={"seconds": round(seconds, 4), COUNTS: True},
    )

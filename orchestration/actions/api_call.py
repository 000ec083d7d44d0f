"""`api_call`: one HTTP request, and what its answer means (rule 4)."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpcore2
import httpx2
from django.conf import settings
from pydantic import JsonValue

from orchestration.actions.base import Call, Result
from orchestration.actions.breaker import breaker_of
from orchestration.actions.output import parsed, too_large
from orchestration.actions.transport import Refused, begin, client, has_sent
from orchestration.core.words import Outcome, Purpose

KEPT_HEADERS = ("content-type", "content-length", "date", "location", "retry-after", "x-request-id", "server")
TRY_LATER = {408: True, 425: False, 429: False}
"""Statuses that ask for another try → whether the other side may have acted."""


def api_call(call: Call) -> Result:
    url = str(call.action["url"])
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        return Result(outcome=Outcome.FAILED, error=f"the URL cannot be used: {error}")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        return Result(outcome=Outcome.FAILED, error="the URL needs http:// or https:// and a host")
    if parsed.userinfo:
        return Result(outcome=Outcome.FAILED, error="the URL holds credentials; use a header with {secret:NAME}")
    host = f"{parsed.host}:{parsed.port or (443 if parsed.scheme == 'https' else 80)}"
    breaker = breaker_of(host)
    pause = breaker.seconds_to_wait()
    if pause:
        message = f"the circuit breaker of {host} is open after repeated failures"
        return Result(outcome=Outcome.RETRYABLE, error=message, retry_after=pause)
    result = _send(call, parsed)
    breaker.record(failed=bool(result.detail.get("counts_against_host")))
    return result


def _send(call: Call, url: httpx2.URL) -> Result:
    started = time.monotonic()
    begin(call.timeout_seconds)
    try:
        response, body, is_whole = _exchange(call, url)
    except Refused as error:
        return Result(outcome=Outcome.FAILED, error=str(error))
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError, httpx2.HTTPError) as error:
        return _lost(error, url, time.monotonic() - started)
    except (ValueError, UnicodeError) as error:
        return Result(outcome=Outcome.FAILED, error=f"the request cannot be built: {error}")
    result = _judged(call, response, body, is_whole)
    detail: dict[str, JsonValue] = {
        "status": response.status_code,
        "seconds": round(time.monotonic() - started, 4),
        "headers": {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers},
    }
    if response.status_code >= 500:
        detail["counts_against_host"] = True
    return Result(
        outcome=result.outcome,
        output=result.output,
        error=result.error,
        maybe=result.maybe,
        retry_after=result.retry_after,
        detail=detail,
    )


def _exchange(call: Call, url: httpx2.URL) -> tuple[httpx2.Response, bytes, bool]:
    action = call.action
    headers = {str(k): str(v) for k, v in _mapping(action.get("headers")).items()}
    headers.setdefault("Idempotency-Key", call.idempotency_key)
    headers.setdefault("User-Agent", "zen-orchestration")
    payload = action.get("payload")
    content: Any = {} if payload is None else {"content": payload} if isinstance(payload, str) else {"json": payload}
    follow = bool(action.get("follow_redirects"))
    request = client().build_request(str(action.get("method", "GET")), url, headers=headers, **content)
    response = client().send(request, stream=True, follow_redirects=follow)
    try:
        return response, *_read(response)
    finally:
        response.close()


def _read(response: httpx2.Response) -> tuple[bytes, bool]:
    """The body up to the limit, and whether that is all of it."""
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > settings.ZEN_MAX_OUTPUT_BYTES:
            return bytes(body), False
    return bytes(body), True


def _lost(error: Exception, url: httpx2.URL, seconds: float) -> Result:
    """No answer: possibly done once anything was sent, else certainly not done."""
    sent = has_sent() and not isinstance(error, httpcore2.ConnectError | httpcore2.ConnectTimeout)
    timed_out = isinstance(error, httpcore2.TimeoutException)
    said = str(error) or type(error).__name__
    what = f"timed out after {seconds:.1f} s" if timed_out else f"the connection failed ({said})"
    return Result(
        outcome=Outcome.UNKNOWN if sent else Outcome.RETRYABLE,
        maybe=sent,
        error=f"{url.host}: {what}" + (", after the request was sent" if sent else ", before anything was sent"),
        detail={"seconds": round(seconds, 4), "counts_against_host": True},
    )


def _judged(call: Call, response: httpx2.Response, body: bytes, is_whole: bool) -> Result:
    status = response.status_code
    undone = call.purpose is Purpose.UNDO and str(call.action.get("method")) == "DELETE" and status in (404, 410)
    if undone or _is_expected(call.action.get("expected_status"), status):
        if is_whole or call.purpose is Purpose.UNDO:
            return Result(outcome=Outcome.SUCCEEDED, output=_output(body) if is_whole else {})
        return Result(outcome=Outcome.FAILED, maybe=True, error=too_large(f"the answer ({status})"))
    error = f"{response.request.method} {response.url.host} answered {status}: {body[:300].decode(errors='replace')}"
    if status in TRY_LATER:
        after = _retry_after(response.headers.get("retry-after"))
        return Result(outcome=Outcome.RETRYABLE, maybe=TRY_LATER[status], error=error, retry_after=after)
    if status >= 500:
        after = _retry_after(response.headers.get("retry-after"))
        return Result(outcome=Outcome.RETRYABLE, maybe=True, error=error, retry_after=after)
    return Result(outcome=Outcome.FAILED, error=error)


def _is_expected(expected: JsonValue, status: int) -> bool:
    if expected is None:
        return 200 <= status < 300
    return status in expected if isinstance(expected, list) else status == expected


def _output(body: bytes) -> JsonValue:
    """The JSON object of an answer; any other body under the key `body`; {} for none."""
    if not body:
        return {}
    try:
        value = parsed(body)
    except ValueError:
        return {"body": body.decode(errors="replace")}
    return value if isinstance(value, dict) else {"body": value}


def _retry_after(header: str | None) -> float | None:
    """Seconds, from a number or an HTTP date."""
    if not header:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        due = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, ((due if due.tzinfo else due.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}

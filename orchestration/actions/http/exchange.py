"""The requests of one `api_call`: the one that was written, and those that redirects ask for."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpcore2
import httpx2
from django.conf import settings
from pydantic import JsonValue

from foundation.outbound.decoding import plain
from foundation.outbound.guarded_connections import went_stale
from foundation.outbound.redirects import MOST_HOPS, READING, STATUSES, Ask, NotFollowed, may_have_acted, onward, shown
from foundation.outbound.transport import client
from foundation.secrets.masking import url_shown
from orchestration.actions.base import Call
from orchestration.actions.http.request import request_of

MOST_STALE = 3
"""Times that one request meets a kept connection which its server has closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`url`: what was asked; `shown`: the same for people. `body` up to the limit; `is_whole`: that is all of it."""

    method: str
    url: httpx2.URL
    shown: str
    status: int
    headers: httpx2.Headers
    body: bytes = b""
    is_whole: bool = True


@dataclass(slots=True)
class Trail:
    """What happened so far, for the caller that has to classify an exchange that broke off.

    `acted`: a redirect said that the action was, or may have been, done.
    """

    hops: list[str] = field(default_factory=list)
    acted: bool = False


def exchange(call: Call, url: httpx2.URL, trail: Trail) -> Answer:
    """The last answer. Raises NotBuilt, NotFollowed, and what the transport raises."""
    ask = request_of(call, url)
    answer, location = _send(ask, str(ask.url))
    if call.action.get("follow_redirects") is not True:
        trail.acted = may_have_acted(ask.method, answer.status)
        return answer
    while answer.status in STATUSES and not is_expected(call.action.get("expected_status"), answer.status):
        trail.acted = trail.acted or may_have_acted(ask.method, answer.status)
        if len(trail.hops) == MOST_HOPS:
            called = f"{answer.method} {url_shown(answer.shown)}"
            raise NotFollowed(f"{called} answered {answer.status}, one redirect more than {MOST_HOPS}")
        try:
            ask = onward(ask, answer.status, location)
        except NotFollowed as reason:
            raise NotFollowed(f"{ask.method} {url_shown(answer.shown)} answered {answer.status}: {reason}") from None
        trail.hops.append(shown(ask.url))
        answer, location = _send(ask, shown(ask.url))
    return answer


def is_expected(expected: JsonValue, status: int) -> bool:
    if expected is None:
        return 200 <= status < 300
    return status in expected if isinstance(expected, list) else status == expected


def _send(ask: Ask, name: str) -> tuple[Answer, str]:
    """The answer and its Location. Every request goes through the guard, which resolves and judges its host anew."""
    response = _response(ask)
    try:
        body, is_whole = _read(response)
    finally:
        response.close()
    answer = Answer(
        method=ask.method,
        url=ask.url,
        shown=name,
        status=response.status_code,
        headers=response.headers,
        body=body,
        is_whole=is_whole,
    )
    return answer, response.headers.get("location", "")


def _response(ask: Ask) -> httpx2.Response:
    """What only reads is asked again where a kept connection turns out to be closed; anything else may have acted."""
    headers = [(name.encode("ascii"), value.encode()) for name, value in ask.headers.items()]
    for again in range(MOST_STALE, -1, -1):
        request = client().build_request(ask.method, ask.url, headers=headers, content=ask.body)
        try:
            return client().send(request, stream=True, follow_redirects=False)
        except (httpcore2.NetworkError, httpcore2.ProtocolError):
            if not again or ask.method not in READING or not went_stale():
                raise
    raise AssertionError  # the last turn returns or raises


def _read(response: httpx2.Response) -> tuple[bytes, bool]:
    body = bytearray()
    for chunk in plain(response):
        body += chunk
        if len(body) > settings.ZEN_MAX_OUTPUT_BYTES:
            return bytes(body), False
    return bytes(body), True

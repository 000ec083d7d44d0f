"""Each request has an id, is counted and timed by its route, and is a span."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from inspect import iscoroutinefunction
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from foundation import telemetry

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}")
HEADER = "X-Request-ID"
NO_ROUTE = "none"
Answer = HttpResponseBase
GetResponse = Callable[[HttpRequest], Any]


@sync_and_async_middleware
def measured(get_response: GetResponse) -> Callable[[HttpRequest], Answer | Awaitable[Answer]]:
    """The outermost middleware, so that what the others take or refuse is measured too."""
    if iscoroutinefunction(get_response):

        async def answer_later(request: HttpRequest) -> Answer:
            with _measuring(request) as done:
                return done(await get_response(request))

        return answer_later

    def answer(request: HttpRequest) -> Answer:
        with _measuring(request) as done:
            return done(get_response(request))

    return answer


@contextmanager
def _measuring(request: HttpRequest) -> Iterator[Callable[[Answer], Answer]]:
    """Yields what notes the answer: the status, and how long it took until its first byte could go out."""
    began, method = time.perf_counter(), request.method if request.method in METHODS else "other"
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    request_id = given if PLAIN.fullmatch(given) else uuid.uuid4().hex
    request.telemetry = {"request_id": request_id}  # type: ignore[attr-defined]  # Django logs refusals after this
    came_from = request.META.get("HTTP_TRACEPARENT", "")
    with telemetry.bind(request_id=request_id), telemetry.span(str(method), kind="server", parent=came_from) as span:

        def done(answer: Answer) -> Answer:
            route = (request.resolver_match.view_name if request.resolver_match else "") or NO_ROUTE
            status = f"{answer.status_code // 100}xx"
            span.rename(f"{method} {route}")
            span.set("http.response.status_code", str(answer.status_code))
            if answer.status_code >= 500:
                span.fail(status)
            telemetry.count("zen_http_requests_total", method=str(method), route=route, status_class=status)
            telemetry.observe("zen_http_request_duration_seconds", time.perf_counter() - began, route=route)
            answer.headers.setdefault(HEADER, request_id)
            return answer

        yield done

"""What is measured of a request to another service: how long its answer took, and of which class it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

import httpx2
from django.conf import settings

from foundation import telemetry


@contextmanager
def measuring(request: httpx2.Request) -> Iterator[Callable[[int], None]]:
    """Yields what is told the status once the head of the answer is there; without it the class is `none`.

    Where traces are on, the request gets a `traceparent`, in place of what it may have had; a host that
    ZEN_TRACE_BAGGAGE_HOSTS names gets the ids of run and saga as `baggage`.
    """
    began, status_class = time.perf_counter(), "none"
    with telemetry.span(request.method, kind="client") as span:

        def answered(status: int) -> None:
            nonlocal status_class
            status_class = f"{status // 100}xx"
            span.set("http.response.status_code", str(status))
            if status >= 400:
                span.fail(status_class)

        if span.traceparent:
            request.headers["traceparent"] = span.traceparent
            if request.url.host in settings.ZEN_TRACE_BAGGAGE_HOSTS and (told := _baggage()):
                request.headers["baggage"] = told
        try:
            yield answered
        finally:
            telemetry.count("zen_outgoing_requests_total", status_class=status_class)
            telemetry.observe("zen_outgoing_request_duration_seconds", time.perf_counter() - began)


def _baggage() -> str:
    about = telemetry.bound()
    return ",".join(f"zen.{name}={quote(about[name], safe='')}" for name in ("workflow_id", "saga_id") if name in about)

"""HTTP over connections that go through the guard: the transport, and the client that all calls of a process share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpcore2
import httpx2
from django.conf import settings

from foundation.outbound.address_guard import allowance, is_named
from foundation.outbound.guarded_connections import (
    GuardedBackend,
    Refused,
    begin_attempt,
    begin_exchange,
    resolve,
    time_left,
)
from foundation.outbound.measure import measuring

IDLE_SECONDS = 4.0
"""A connection that waited so long is not used again: many servers close theirs after 5 s, just as we would write."""

NO_ANSWER = (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError, httpx2.HTTPError)
"""What a call through the guard raises when no answer came, or none that can be read: refused, cut off, too late."""


def refused_unless_named(host: str, port: int) -> str:
    """For a client that cannot be given a connection, so that what was judged need not be what it dials.

    Why it must not call the host; '' only for one that ZEN_OUTBOUND_ALLOW names as it is written here.
    """
    if not is_named(host, port, settings.ZEN_OUTBOUND_ALLOW):
        return f"{host} is a host of your own; to allow it set {allowance(host, port)}"
    try:
        resolve(host.strip("[]"), port)
    except Refused as error:
        return str(error)
    except httpcore2.ConnectError:
        return ""  # its client says so in its own words
    return ""


class _Body(httpx2.SyncByteStream):
    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __iter__(self) -> Iterator[bytes]:
        yield from self.inner

    def close(self) -> None:
        self.inner.close()


class GuardedTransport(httpx2.BaseTransport):
    """httpx2 over a pool whose connections go through the guard. Raises httpcore2's errors as they are."""

    def __init__(self) -> None:
        self.pool = httpcore2.ConnectionPool(
            ssl_context=httpcore2.default_ssl_context(),
            network_backend=GuardedBackend(),
            max_connections=256,
            max_keepalive_connections=64,
            keepalive_expiry=IDLE_SECONDS,
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        limits = request.extensions.get("timeout", {})
        begin_exchange()
        queue = time_left(limits.get("pool"), httpcore2.PoolTimeout)
        with measuring(request) as answered:
            response = self.pool.handle_request(
                httpcore2.Request(
                    method=request.method,
                    url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions={**request.extensions, "timeout": {**limits, "pool": queue}},
                )
            )
            answered(response.status)
        return httpx2.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response.stream),
            extensions=response.extensions,
        )

    def close(self) -> None:
        self.pool.close()


def begin(seconds: float) -> None:
    """Start an attempt of this thread: from here on its network operations have so many seconds together."""
    client()  # a process's first attempt does not pay for the certificates that are read for it
    begin_attempt(seconds)


_client: httpx2.Client | None = None
_client_lock = threading.Lock()


def client() -> httpx2.Client:
    """One client per process; its pool is thread-safe."""
    global _client
    with _client_lock:
        if _client is None:
            # no limits of the library's own: the attempt's deadline is the only one
            _client = httpx2.Client(transport=GuardedTransport(), trust_env=False, follow_redirects=False, timeout=None)
            # what a service sets for one run is no business of the next
            _client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return _client


def close() -> None:
    """Close this process's connections; the next call opens new ones."""
    global _client
    with _client_lock:
        if _client is not None:
            _client.close()
            _client = None

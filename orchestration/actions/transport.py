"""HTTP through the guard: resolve once, judge every answer, dial the judged address, keep one total deadline."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpcore2
import httpx2
from django.conf import settings

from orchestration.actions.guard import allowance, is_named, judge

CONNECT_SECONDS = 10.0
"""A host that takes no connection for so long is tried again later, however much time the attempt has."""

LONGEST_EXCHANGE = 60.0
"""Seconds of a request and its whole answer, for a client that only bounds each read and write."""

IDLE_SECONDS = 4.0
"""A connection that waited so long is not used again: many servers close theirs after 5 s, just as we would write."""

_local = threading.local()


class Refused(httpcore2.ConnectError):
    """The guard said no, with the reason."""


def set_deadline(seconds: float) -> None:
    """Every network operation of this thread ends by then, a trickled answer too."""
    _local.deadline = time.monotonic() + seconds


def _left(timeout: float | None, error: type[Exception]) -> float:
    """The time for one operation: what is left of this thread's deadline. For a client that gives limits of its own no
    more than these, and of its exchange's."""
    ends = "deadline" if timeout is None else "exchange_ends"
    left: float = getattr(_local, ends, time.monotonic() + LONGEST_EXCHANGE) - time.monotonic()
    if left <= 0:
        raise error("the time for this attempt is over")
    return left if timeout is None else min(timeout, left)


class Stream(httpcore2.NetworkStream):
    """A network stream whose reads and writes share one deadline."""

    def __init__(self, inner: httpcore2.NetworkStream, address: str) -> None:
        self.inner, self.address = inner, address
        self.has_answered = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self.inner.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))
        if data:
            self.has_answered, _local.unheard = True, False
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        _local.sent, _local.unheard = True, self.has_answered
        self.inner.write(buffer, _left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return Stream(self.inner.start_tls(ssl_context, server_hostname, left), self.address)

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


class GuardedBackend(httpcore2.NetworkBackend):
    def __init__(self) -> None:
        self.inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection to the first address of the host that takes one: `localhost` has two, and one may be silent."""
        *others, last = resolve(host, port)
        for number, address in enumerate(others):
            seconds = _left(timeout, httpcore2.ConnectTimeout) / (len(others) + 1 - number)
            try:
                return self._dialled(address, port, seconds, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._dialled(last, port, _left(timeout, httpcore2.ConnectTimeout), local_address, socket_options)

    def _dialled(self, address: str, port: int, seconds: float, *more: Any) -> Stream:
        return Stream(self.inner.connect_tcp(address, port, min(CONNECT_SECONDS, seconds), *more), address)


def resolve(host: str, port: int) -> list[str]:
    """The addresses to dial for a host, one after the other, after all of them were judged."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise httpcore2.ConnectError(f"the name {host} cannot be resolved ({error})") from None
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    reason = judge(host, port, addresses, settings.ZEN_OUTBOUND_ALLOW)
    if reason:
        raise Refused(reason)
    return addresses


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
        _local.exchange_ends = time.monotonic() + LONGEST_EXCHANGE
        queue = _left(limits.get("pool"), httpcore2.PoolTimeout)
        response = self.pool.handle_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions={**request.extensions, "timeout": {**limits, "pool": queue}},
            )
        )
        return httpx2.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response.stream),
            extensions=response.extensions,
        )

    def close(self) -> None:
        self.pool.close()


def has_sent() -> bool:
    """Whether this thread wrote anything to a connection since `begin`."""
    return bool(getattr(_local, "sent", False))


def went_stale() -> bool:
    """Whether what this thread wrote last went to a connection that had answered before, and nothing came back: its
    server may have closed it while it was idle."""
    return bool(getattr(_local, "unheard", False))


def begin(seconds: float) -> None:
    """An attempt of this thread has so many seconds from here on."""
    client()  # a process's first attempt does not pay for the certificates that are read for it
    _local.sent = False
    set_deadline(seconds)


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

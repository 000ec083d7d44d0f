"""Connections through the guard: resolve once, judge every answer, dial the judged address, keep one total deadline."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore2
from django.conf import settings

from foundation.outbound.address_guard import judge

CONNECT_SECONDS = 10.0
"""A host that takes no connection for so long is tried again later, however much time the attempt has."""

LONGEST_EXCHANGE = 60.0
"""Seconds of a request and its whole answer, for a client that only bounds each read and write."""

_local = threading.local()


class Refused(httpcore2.ConnectError):
    """The address guard refused to dial; the message has the reason and what would allow it."""


def begin_attempt(seconds: float) -> None:
    """Every network operation of this thread ends by then, a trickled answer too; nothing was sent yet."""
    _local.sent = False
    _local.deadline = time.monotonic() + seconds


def begin_exchange() -> None:
    """From here on a request of this thread and its answer have LONGEST_EXCHANGE, if its client gives limits."""
    _local.exchange_ends = time.monotonic() + LONGEST_EXCHANGE


def time_left(timeout: float | None, error: type[Exception]) -> float:
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
        data = self.inner.read(max_bytes, time_left(timeout, httpcore2.ReadTimeout))
        if data:
            self.has_answered, _local.unheard = True, False
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        _local.sent, _local.unheard = True, self.has_answered
        self.inner.write(buffer, time_left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = time_left(timeout, httpcore2.ConnectTimeout)
        return Stream(self.inner.start_tls(ssl_context, server_hostname, left), self.address)

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


class GuardedBackend(httpcore2.NetworkBackend):
    """Dials for httpcore: resolves, has every address judged, and connects to the judged address itself."""

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
            seconds = time_left(timeout, httpcore2.ConnectTimeout) / (len(others) + 1 - number)
            try:
                return self._dialled(address, port, seconds, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._dialled(last, port, time_left(timeout, httpcore2.ConnectTimeout), local_address, socket_options)

    def _dialled(self, address: str, port: int, seconds: float, *more: Any) -> Stream:
        return Stream(self.inner.connect_tcp(address, port, min(CONNECT_SECONDS, seconds), *more), address)


def resolve(host: str, port: int, allow: Sequence[str] | None = None, remedy: str = "") -> list[str]:
    """The addresses to dial for a host, one after the other, after all of them were judged.

    `allow`: the private ones that may be dialled, instead of ZEN_OUTBOUND_ALLOW, and `remedy` what adds to them.

    Raises:
        Refused: the guard refuses one of its addresses.
        httpcore2.ConnectError: the name cannot be resolved.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise httpcore2.ConnectError(f"the name {host} cannot be resolved ({error})") from None
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    reason = judge(host, port, addresses, settings.ZEN_OUTBOUND_ALLOW if allow is None else allow, remedy)
    if reason:
        raise Refused(reason)
    return addresses


def has_sent() -> bool:
    """Whether this thread wrote anything to a connection since `begin_attempt`."""
    return bool(getattr(_local, "sent", False))


def went_stale() -> bool:
    """Whether what this thread wrote last went to a connection that had answered before, and nothing came back: its
    server may have closed it while it was idle."""
    return bool(getattr(_local, "unheard", False))

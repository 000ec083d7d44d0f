"""What is asked of the proxy of an agent, read from a request's head, and its own answers."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import SplitResult, urlsplit

import h11

HEAD_BYTES = 32 * 1024
OF_THE_HOP = frozenset((b"connection", b"proxy-connection", b"proxy-authorization", b"keep-alive", b"te", b"host"))
"""Headers that are for the proxy, or that it writes itself."""


class NotAsked(Exception):
    """What is not done, in words for the agent, and the status that says so."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Asked:
    """Where to, what to say there first, and what to the client. Bytes go both ways after that."""

    host: str
    port: int
    head: bytes = b""
    reply: bytes = b""


def asked(head: bytes) -> Asked:
    """Read the head of a request, with its empty line. Raises NotAsked."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
    connection.receive_data(head)
    try:
        request = connection.next_event()
    except h11.RemoteProtocolError as error:
        raise NotAsked(400, f"the request is no HTTP ({error}); ask for http or CONNECT") from None
    if not isinstance(request, h11.Request):
        raise NotAsked(400, "the request is no HTTP; ask for http or CONNECT")
    target = request.target.decode("ascii")
    if request.method == b"CONNECT":
        parts, port = _parts(f"//{target}")
        if port is None or parts.path or parts.query:
            raise NotAsked(400, "CONNECT names no host:port; name both")
        return Asked(_host(parts), port, reply=b"HTTP/1.1 200 Connection established\r\n\r\n")
    parts, port = _parts(target)
    if parts.scheme != "http":
        raise NotAsked(403, "only http:// and CONNECT lead out of here; ask the proxy for one of them")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    where = parts.netloc.encode("ascii")
    kept = [(name, value) for name, value in request.headers.raw_items() if name.lower() not in OF_THE_HOP]
    lines = [(b"Host", where), *kept, (b"Connection", b"close")]
    first = b"%s %s HTTP/1.1\r\n" % (request.method, path.encode("ascii"))
    written = first + b"".join(b"%s: %s\r\n" % line for line in lines) + b"\r\n"
    return Asked(_host(parts), port or 80, head=written)


def _parts(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        if not parts.hostname or "@" in parts.netloc or parts.port == 0:
            raise ValueError
        return parts, parts.port
    except ValueError:
        raise NotAsked(400, "the request names no host; ask for http://host[:port]/ or CONNECT host:port") from None


def _host(parts: SplitResult) -> str:
    return str(parts.hostname).rstrip(".")[:255]


def answer(status: int, text: str) -> bytes:
    """A whole answer of the proxy itself."""
    body = f"{text}\n".encode()
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body

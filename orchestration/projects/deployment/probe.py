"""One question for health, within bounds of time and size, and its answer as a value.

A good answer is a 2xx that is there in time, whole or to the first 64 KiB. A redirect is followed nowhere: it is no
answer about this release, and could lead to addresses that nobody meant.
"""

from __future__ import annotations

import http
import socket
import time
from urllib.parse import urlsplit

import h11
import httpcore2
import httpx2

from foundation.clock import iso, now
from foundation.outbound.transport import NO_ANSWER, begin, client
from foundation.secrets.masking import url_shown
from orchestration.core.deployment.window import EXCERPT, Answer

MOST_BODY = 64 * 1024
MOST_HEAD = 32 * 1024
AGENT = "zen-health"


class TooLate(Exception):
    """The answer was not whole when its time was over."""


def ask_port(port: int, path: str, *, seconds: float, target: str) -> Answer:
    """Ask a process on the loopback. `target` names it for people."""
    at, began = iso(now()) or "", time.monotonic()
    try:
        status, body, location = _exchange(port, path, began + seconds)
    except TooLate as error:
        return Answer(
            at=at, target=target, status=0, seconds=time.monotonic() - began, error=str(error) or _late(seconds)
        )
    except (OSError, h11.ProtocolError) as error:
        why = f"no answer: {type(error).__name__}: {error}"
        return Answer(at=at, target=target, status=0, seconds=time.monotonic() - began, error=why[:300])
    return _judged(at, target, status, time.monotonic() - began, body, location)


def ask_url(url: str, *, seconds: float) -> Answer:
    """Ask a URL, through the guard of outgoing calls."""
    at, began, target = iso(now()) or "", time.monotonic(), url_shown(url)
    begin(seconds)
    try:
        request = client().build_request("GET", url, headers={"User-Agent": AGENT, "Accept-Encoding": "identity"})
        response = client().send(request, stream=True, follow_redirects=False)
        try:
            body = bytearray()
            for chunk in response.iter_raw():
                body += chunk
                if len(body) >= MOST_BODY:
                    break
        finally:
            response.close()
    except httpcore2.TimeoutException:
        return Answer(at=at, target=target, status=0, seconds=time.monotonic() - began, error=_late(seconds))
    except (*NO_ANSWER, httpx2.InvalidURL) as error:
        why = f"no answer: {error or type(error).__name__}"
        return Answer(at=at, target=target, status=0, seconds=time.monotonic() - began, error=why[:300])
    location = response.headers.get("location", "")
    return _judged(at, target, response.status_code, time.monotonic() - began, bytes(body), location)


def _judged(at: str, target: str, status: int, seconds: float, body: bytes, location: str) -> Answer:
    error = ""
    if 300 <= status < 400:
        where = urlsplit(location).hostname or location[:80] or "nowhere"
        error = f"redirects to {where}, which is not followed"
    elif not 200 <= status < 300:
        words = http.HTTPStatus(status).phrase if status in set(http.HTTPStatus) else "no success"
        error = words.lower()
    excerpt = body[:EXCERPT].decode(errors="replace") if error else ""
    return Answer(at=at, target=target, status=status, seconds=seconds, error=error, excerpt=excerpt)


def _late(seconds: float) -> str:
    return f"no whole answer within {seconds:g} s"


def _exchange(port: int, path: str, until: float) -> tuple[int, bytes, str]:
    """Status, the head of the body, and where a redirect leads. Every wait shares one deadline."""
    talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD)
    with socket.create_connection(("127.0.0.1", port), timeout=_left(until)) as line:
        headers = [("Host", f"127.0.0.1:{port}"), ("User-Agent", AGENT), ("Connection", "close")]
        line.sendall(talk.send(h11.Request(method="GET", target=path, headers=headers)) or b"")
        talk.send(h11.EndOfMessage())
        status, body, location = 0, bytearray(), ""
        while len(body) < MOST_BODY:
            event = talk.next_event()
            if event is h11.NEED_DATA:
                line.settimeout(_left(until))
                try:
                    talk.receive_data(line.recv(65536))
                except TimeoutError:
                    raise TooLate from None
            elif isinstance(event, h11.Response):
                status = event.status_code
                location = next((value.decode("latin-1") for name, value in event.headers if name == b"location"), "")
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                raise ConnectionError("the connection was closed")
    return status, bytes(body[:MOST_BODY]), location


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TooLate
    return left

"""The HTTP peer that the sagas act on: one effect for each idempotency key, and a record of every call."""

from __future__ import annotations

import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tools.chaos.records import Call

SHORTEST, LONGEST = 0.05, 1.0
"""Seconds that a call takes; which, is said by its key."""
REFUSED = "refused"
"""The name of what no POST can make: it is answered with 422."""


class Peer:
    """POST makes the thing at a path, DELETE takes it away; a key that comes again changes nothing.

    `who` says which worker holds the other end of a connection, by its port; '' when nobody known does.
    """

    def __init__(self, who: Callable[[int], str]) -> None:
        self.who, self.lock = who, threading.Lock()
        self.calls: list[Call] = []
        self.things: set[str] = set()
        self.keys: set[str] = set()
        self.in_flight: dict[int, tuple[str, str]] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"

    def answer(self, method: str, path: str, key: str, worker: str) -> tuple[int, dict[str, Any]]:
        began, number = time.time(), threading.get_ident()
        name = path.rsplit("/", 1)[-1]
        with self.lock:
            self.in_flight[number] = (worker, path)
        time.sleep(SHORTEST + (LONGEST - SHORTEST) * (zlib.crc32(key.encode()) % 1000) / 1000)
        refused = name == REFUSED and method == "POST"
        with self.lock:
            if key not in self.keys and not refused:
                self.keys.add(key)
                (self.things.add if method == "POST" else self.things.discard)(path)
            del self.in_flight[number]
            self.calls.append(
                Call(key=key, method=method, path=path, worker=worker, began=began, ended=time.time(), refused=refused)
            )
        return (422, {"error": "told to refuse"}) if refused else (200, {"id": name})

    def calls_in_flight(self) -> list[tuple[str, str]]:
        """The worker and the path of each."""
        with self.lock:
            return list(self.in_flight.values())


def _handler(peer: Peer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            self.worker = peer.who(self.client_address[1])

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            status, body = peer.answer(self.command, self.path, self.headers.get("Idempotency-Key") or "", self.worker)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_DELETE = do_POST  # noqa: N815 - named by http.server

        def log_message(self, *_: Any) -> None:
            return

        def handle(self) -> None:
            with suppress(OSError, ValueError):  # the other side is gone
                super().handle()

    return Handler


@contextmanager
def serving(who: Callable[[int], str]) -> Iterator[Peer]:
    peer = Peer(who)
    thread = threading.Thread(target=peer.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield peer
    finally:
        peer.server.shutdown()
        peer.server.server_close()

"""A small HTTP service that holds state: what tests let sagas act on.

POST /things/NAME creates one effect per Idempotency-Key and answers {"id": …}; DELETE takes it away; GET asks.
`behave("/things/a", 500, 503)` answers those first; a number is a status, "hang" a pause, "cut" a lost connection
after the effect. A request that comes again under its key gets what is next, so what must be refused however often it
is sent is told by `say`. `say("/x", 302, headers, body)` answers like that every time, `say_once` once; `seen` keeps
each request whole. `hold("POST", "/things/a")` lets those requests wait, with nothing done yet, until `let_go`;
`held("POST", "/things/a")` says how many there are.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.waiting import PATIENCE_SECONDS


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: str
    raw: bytes = b""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


class Peer:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.things: dict[str, str] = {}
        self.effects: Counter[str] = Counter()
        self.calls: list[tuple[str, str, str]] = []
        self.behaviours: dict[str, list[int | str]] = {}
        self.delay: dict[str, float] = {}
        self.bodies: list[Any] = []
        self.said: dict[str, Reply] = {}
        self.said_once: dict[str, Reply] = {}
        self.seen: list[Request] = []
        self.most_at_once = self.at_once = 0
        self.gates: dict[tuple[str, str], threading.Event] = {}
        self.at_gates: Counter[tuple[str, str]] = Counter()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"

    def behave(self, path: str, *answers: int | str) -> None:
        self.behaviours[path] = list(answers)

    def say(self, path: str, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.said[path] = Reply(status, headers or {}, body)

    def say_once(self, path: str, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.said_once[path] = Reply(status, headers or {}, body)

    def hold(self, method: str, path: str) -> None:
        self.gates[method, path] = threading.Event()

    def held(self, method: str, path: str) -> int:
        with self.lock:
            return self.at_gates[method, path]

    def let_go(self) -> None:
        """Of all that is held: now, and from now on."""
        for gate in self.gates.values():
            gate.set()

    def wait_at_gate(self, method: str, path: str) -> None:
        if (gate := self.gates.get((method, path))) is None:
            return
        with self.lock:
            self.at_gates[method, path] += 1
        gate.wait(PATIENCE_SECONDS)
        with self.lock:
            self.at_gates[method, path] -= 1

    def methods(self, method: str) -> list[str]:
        return [path for called, path, _ in self.calls if called == method]

    def answer(self, method: str, path: str, key: str) -> tuple[int | str, dict[str, Any]]:
        with self.lock:
            self.calls.append((method, path, key))
            planned = self.behaviours.get(path)
            behaviour = planned.pop(0) if planned else 200
            if isinstance(behaviour, int) and behaviour >= 400:
                return behaviour, {"error": f"told to answer {behaviour}"}
            if method == "GET":
                return (200, {"id": self.things[path]}) if path in self.things else (404, {})
            if method == "DELETE":
                self.things.pop(path, None)
            elif key not in self.effects:
                self.things[path] = path.rsplit("/", 1)[-1]
            first = key not in self.effects
            self.effects[key] += first
            return behaviour, {"id": path.rsplit("/", 1)[-1]}


def _handler(peer: Peer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with peer.lock:
                peer.at_once += 1
                peer.most_at_once = max(peer.most_at_once, peer.at_once)
            try:
                self._answer()
            finally:
                with peer.lock:
                    peer.at_once -= 1

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - named by http.server

        def _answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            raw = self.rfile.read(length)
            peer.bodies.append(raw.decode(errors="replace"))
            path = self.path.split("?")[0]
            headers = {name.lower(): value for name, value in self.headers.items()}
            peer.seen.append(Request(self.command, self.path, headers, raw.decode(errors="replace"), raw))
            peer.wait_at_gate(self.command, path)
            time.sleep(peer.delay.get(path, 0))
            reply = peer.said_once.pop(path, None) or peer.said.get(path)
            if reply is not None:
                with peer.lock:
                    peer.calls.append((self.command, path, self.headers.get("Idempotency-Key") or ""))
                self._reply(reply)
                return
            status, body = peer.answer(self.command, path, self.headers.get("Idempotency-Key") or "")
            if status == "cut":
                self.close_connection = True
                self.connection.close()
                return
            if status == "hang":
                time.sleep(3)
                status = 200
            self._reply(Reply(int(status), {"Content-Type": "application/json"}, json.dumps(body).encode()))

        def _reply(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: Any) -> None:
            return

        def handle(self) -> None:
            with contextlib.suppress(OSError, ValueError):  # the other side is gone, or we cut it
                super().handle()

    return Handler


@contextmanager
def serving() -> Iterator[Peer]:
    peer = Peer()
    thread = threading.Thread(target=peer.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield peer
    finally:
        peer.let_go()
        peer.server.shutdown()
        peer.server.server_close()

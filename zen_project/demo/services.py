"""Small HTTP services for the demonstration. POST /KIND holds a thing, once per Idempotency-Key; DELETE lets it go.

`python -m zen_project.demo.services` runs one on the address that the sagas in examples/ call, until Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Service:
    """A service of the demonstration. `held` maps /KIND/ID to the order it belongs to. `aloud`: print each call.

    What is sent to "nowhere" is refused. `locked` orders cannot be deleted until the story repairs the service. `says`:
    the statuses that its next calls are answered with, by method; the last one stays until it is taken away.
    """

    name: str
    port: int = 0
    aloud: bool = False
    held: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    says: dict[str, list[int]] = field(default_factory=dict)
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True, name=self.name).start()

    def create(self, path: str, key: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        with self.lock:
            self.calls += 1
            if body.get("to") == "nowhere":
                return 422, {"error": "there is no such address"}
            if key not in self.keys:
                self.keys[key] = f"{path}/{len(self.keys) + 1}"
                self.held[self.keys[key]] = str(body.get("order"))
            return 201, {"id": self.keys[key].rsplit("/", 1)[1]}

    def delete(self, path: str) -> tuple[int, dict[str, Any]]:
        with self.lock:
            self.calls += 1
            if self.held.get(path) in self.locked:
                return 403, {"error": "this order is locked"}
            return (200, {}) if self.held.pop(path, None) else (404, {"error": "not found"})

    def told(self, method: str) -> int:
        """The status that the next call is answered with; 0 where it works."""
        with self.lock:
            left = self.says.get(method)
            status = 0 if not left else left.pop(0) if len(left) > 1 else left[0]
            self.calls += bool(status)
            return status

    def of(self, order: str) -> list[str]:
        """What the service holds for an order."""
        with self.lock:
            return sorted(path for path, owner in self.held.items() if owner == order)


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            if status := service.told("POST"):
                self._answer(status, {"error": "out of order"})
                return
            self._answer(*service.create(self.path, self.headers.get("Idempotency-Key") or "", body))

        def do_DELETE(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if status := service.told("DELETE"):
                self._answer(status, {"error": "out of order"})
                return
            self._answer(*service.delete(self.path))

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            if service.aloud:
                print(f"{self.command:<6} {self.path:<24} {status}  {json.dumps(body)}", flush=True)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            return

    return Handler


def main() -> None:
    parser = argparse.ArgumentParser(description="A service that holds what the sagas in examples/ make.")
    parser.add_argument("--port", type=int, default=9000)
    service = Service("shop", port=parser.parse_args().port, aloud=True)
    print(f"a shop at http://{service.address}; Ctrl-C ends it", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        service.server.shutdown()


if __name__ == "__main__":
    main()

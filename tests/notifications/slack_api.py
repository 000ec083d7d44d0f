"""As much of Slack's Web API as messages need, over real HTTP, with state: what was posted can be changed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.waiting import PATIENCE_SECONDS

TOKEN = "xoxb-right-token"
CHANNELS = {"#deployments": "C01", "U0ADA": "D01", "U0BOB": "D02"}


class SlackApi:
    def __init__(self) -> None:
        self.shown: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.windows: list[dict[str, Any]] = []
        self.triggers = {"fresh"}
        self.errors: list[tuple[int, dict[str, str], bytes]] = []
        self.reached, self.gate = threading.Event(), threading.Event()
        self.gate.set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/api/"

    def fails(self, status: int = 200, *, error: str = "", headers: dict[str, str] | None = None) -> None:
        """The next call is answered like that."""
        body = json.dumps({"ok": False, "error": error}).encode() if error else b"<html>busy</html>"
        self.errors.append((status, headers or {}, body))

    def answer(self, method: str, token: str, body: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(method)
        if token != f"Bearer {TOKEN}":
            return {"ok": False, "error": "invalid_auth"}
        if method == "views.open":
            return self._open(body)
        return self._post(body) if method == "chat.postMessage" else self._update(body)

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        channel = CHANNELS.get(body["channel"])
        if channel is None:
            return {"ok": False, "error": "channel_not_found"}
        ts = f"1700000000.{len(self.shown):06}"
        self.shown[ts] = {**body, "channel": channel}
        return {"ok": True, "channel": channel, "ts": ts}

    def _open(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["trigger_id"] not in self.triggers:
            return {"ok": False, "error": "expired_trigger_id"}
        self.triggers.remove(body["trigger_id"])
        self.windows.append({**body["view"], "id": f"V{len(self.windows)}"})
        return {"ok": True, "view": self.windows[-1]}

    def _update(self, body: dict[str, Any]) -> dict[str, Any]:
        shown = self.shown.get(body["ts"])
        if shown is None or shown["channel"] != body["channel"]:
            return {"ok": False, "error": "message_not_found"}
        self.shown[body["ts"]] = body
        return {"ok": True, "channel": body["channel"], "ts": body["ts"]}

    @property
    def only(self) -> dict[str, Any]:
        (message,) = self.shown.values()
        return message


def buttons_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [button for block in message["blocks"] if block["type"] == "actions" for button in block["elements"]]


def text_of(message: dict[str, Any]) -> str:
    return "\n".join(block["text"]["text"] for block in message["blocks"] if block["type"] == "section")


def _handler(api: SlackApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            api.reached.set()
            api.gate.wait(PATIENCE_SECONDS)
            if api.errors:
                status, headers, content = api.errors.pop(0)
            else:
                answer = api.answer(self.path.rpartition("/")[2], self.headers.get("authorization", ""), body)
                status, headers, content = 200, {}, json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {
                **headers,
                "Content-Type": "application/json",
                "Content-Length": str(len(content)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            return

    return Handler


@contextmanager
def slack_api() -> Iterator[SlackApi]:
    api = SlackApi()
    thread = threading.Thread(target=api.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.server.shutdown()
        api.server.server_close()

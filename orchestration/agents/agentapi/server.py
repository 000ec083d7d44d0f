"""The HTTP door of a conversation, on loopback."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from orchestration.agents.agentapi.conversation import LONGEST_MESSAGE, Busy, Conversation, NotAMessage
from orchestration.agents.agentapi.document import document
from orchestration.agents.agentapi.upload import MOST_BYTES, NotAnUpload, kept

HOSTS = ("localhost", "127.0.0.1", "[::1]")
"""Names under which a browser may have found us: a page of another site that resolves to loopback is none of them."""
VERSION = "0.12.1"
"""Of agentapi whose words these are."""
QUIET_SECONDS = 15.0
OTHERS = 64 * 1024
WAITING = "message can only be sent when the agent is waiting for user input"


class AgentApiServer(ThreadingHTTPServer):
    """Serves one conversation. Port 0 takes a free one; `server_port` is it. `uploads`: the folder for files."""

    daemon_threads = True

    def __init__(self, conversation: Conversation, port: int, uploads: Path) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.conversation, self.uploads = conversation, uploads

    def finish(self, seconds: float = 10.0) -> None:
        """End the turn, the readers and the server."""
        self.conversation.close(seconds)
        self.shutdown()
        self.server_close()


class _Problem(Exception):
    """Answered as RFC 9457 has it."""

    def __init__(self, status: int, title: str, message: str, location: str = "", value: Any = None) -> None:
        super().__init__(message)
        self.status, self.title, self.location, self.value = status, title, location, value


class _Handler(BaseHTTPRequestHandler):
    server: AgentApiServer
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        """Read."""
        if not self._is_ours():
            return
        conversation = self.server.conversation
        match self.path.partition("?")[0]:
            case "/status":
                self._json(200, conversation.status())
            case "/messages":
                self._json(200, {"messages": conversation.messages()})
            case "/openapi.json":
                self._json(200, document(VERSION))
            case "/events":
                self._events()
            case _:
                self._problem(_Problem(404, "Not Found", f"there is no {self.path[:200]}"))

    def do_POST(self) -> None:
        """Say something, or hand over a file."""
        if not self._is_ours():
            return
        try:
            match self.path.partition("?")[0]:
                case "/message":
                    self._message(self._body(LONGEST_MESSAGE * 6))
                    self._json(200, {"ok": True})
                case "/upload":
                    body = self._body(MOST_BYTES + OTHERS)
                    place = kept(self.headers.get("content-type", ""), body, self.server.uploads)
                    self._json(200, {"ok": True, "filePath": str(place)})
                case _:
                    raise _Problem(404, "Not Found", f"there is no {self.path[:200]}")
        except NotAnUpload as error:
            self._problem(_Problem(422, "Unprocessable Entity", str(error), "body.file"))
        except Busy:
            self._problem(_Problem(409, "Conflict", WAITING, "body.content"))
        except _Problem as problem:
            self._problem(problem)

    def _message(self, body: bytes) -> None:
        if self.headers.get_content_type() != "application/json" and "content-type" in self.headers:
            raise _Problem(415, "Unsupported Media Type", "send application/json")
        try:
            given = json.loads(body)
        except ValueError:
            raise _Problem(400, "Bad Request", "the body is no JSON", "body") from None
        if not isinstance(given, dict):
            raise _Problem(422, "Unprocessable Entity", "expected object", "body", given)
        for name in ("content", "type"):
            if not isinstance(given.get(name), str):
                text = f"expected required property {name} to be present" if name not in given else "expected string"
                raise _Problem(422, "Unprocessable Entity", text, f"body.{name}" if name in given else "body", given)
        if given["type"] not in ("user", "raw"):
            text = 'expected value to be one of "user, raw"'
            raise _Problem(422, "Unprocessable Entity", text, "body.type", given["type"])
        if given["type"] == "raw":
            self.server.conversation.press(given["content"])
            return
        try:
            self.server.conversation.say(given["content"])
        except NotAMessage as error:
            raise _Problem(422, "Unprocessable Entity", str(error), "body.content", given["content"][:200]) from None

    def _events(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for told in self.server.conversation.read(QUIET_SECONDS):
                if told is None:
                    self.wfile.write(b": still here\n\n")
                else:
                    data = json.dumps(told.data, ensure_ascii=False)
                    self.wfile.write(f"id: {told.id}\nevent: {told.name}\ndata: {data}\n\n".encode())
                self.wfile.flush()
        except OSError:
            return

    def _is_ours(self) -> bool:
        """A page of another site reaches loopback too: by a name of its own, or from where it was loaded. A page of
        another port is another site: a release that an agent has built may serve it."""
        origin = self.headers.get("origin")
        if _name_in(self.headers.get("host", "")) not in HOSTS:
            text, status = f"Invalid host header. Allowed hosts: {', '.join(HOSTS)}\n", 400
        elif origin is not None and origin.partition("://")[2] != self.headers.get("host", ""):
            text, status = "Requests of pages of other sites are refused\n", 403
        else:
            return True
        self.close_connection = True
        given = self.headers.get("content-length", "")
        if given.isdecimal():  # what is left unread would cut the answer off
            self.rfile.read(min(int(given), OTHERS))
        self._send(status, "text/plain; charset=utf-8", text.encode())
        return False

    def _body(self, most: int) -> bytes:
        given = self.headers.get("content-length", "")
        if not given.isdecimal():
            raise _Problem(411, "Length Required", "say the length of the body")
        if int(given) > most:
            self.close_connection = True
            raise _Problem(413, "Content Too Large", f"the body may have {most} bytes")
        return self.rfile.read(int(given))

    def _problem(self, problem: _Problem) -> None:
        text = str(problem)
        detail = "validation failed" if problem.status == 422 else text
        one = {"message": text, "location": problem.location, "value": problem.value}
        about = {"title": problem.title, "status": problem.status, "detail": detail, "errors": [one]}
        self._send(problem.status, "application/problem+json", json.dumps(about, ensure_ascii=False).encode())

    def _json(self, status: int, value: Any) -> None:
        self._send(status, "application/json", json.dumps(value, ensure_ascii=False).encode())

    def _send(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:  # said, or a client asks the next thing on it
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Requests are not logged: their bodies are prompts."""


def _name_in(authority: str) -> str:
    """The host of host:port."""
    return authority if authority.endswith("]") else authority.rpartition(":")[0] or authority

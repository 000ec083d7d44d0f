"""The switch as a program: what a client sees, whatever its backends do."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from orchestration.core.deployment.routing import Backend
from orchestration.projects.deployment.local import ports, switch
from orchestration.projects.deployment.local.folder import Folder, Place, Record, Release, folder_of
from tests.support.waiting import PATIENCE_SECONDS

ECHO_LIMIT = 5_000_000


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    name = ""

    def do_GET(self) -> None:
        if self.path == "/hang-up":
            self.close_connection = True
            return
        if self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"half")
            self.close_connection = True
            return
        self.reply({"name": self.name, "headers": dict(self.headers.items()), "path": self.path})

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.reply({"name": self.name, "length": len(body)})

    def reply(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "X-Private, keep-alive")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def backends() -> Iterator[dict[str, int]]:
    """Two releases that answer with their names, and the port of a third that is dead."""
    servers = []
    for name in ("blue", "green"):
        server = ThreadingHTTPServer(("127.0.0.1", 0), type(name, (Echo,), {"name": name}))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
    found = {name: server.server_address[1] for name, server in zip(("blue", "green"), servers, strict=True)}
    with socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        yield {**found, "dead": dead.getsockname()[1]}
    for server in servers:
        server.shutdown()
        server.server_close()


class Running:
    """A switch that is told its routing by weights."""

    def __init__(self, folder: Folder, backends: dict[str, int]) -> None:
        self.folder, self.backends, self.lines = folder, backends, list[http.client.HTTPConnection]()
        self.record = Record(port=ports.lease(str(folder.path)))
        for name, port in backends.items():
            self.record.releases[name] = Release(workflow_id=name, ports={1: port})

    def route(self, **weights: int) -> dict[str, Any]:
        self.record.routing = [Place(release=name, replica=1, weight=weight) for name, weight in weights.items()]
        self.record.generation += 1
        return switch.ensure(self.folder, self.record)

    def line(self) -> http.client.HTTPConnection:
        self.lines.append(http.client.HTTPConnection("127.0.0.1", self.record.port, timeout=PATIENCE_SECONDS))
        return self.lines[-1]

    def get(self, path: str = "/", line: http.client.HTTPConnection | None = None) -> tuple[int, Any]:
        own = line or self.line()
        own.request("GET", path)
        answer = own.getresponse()
        return answer.status, json.loads(answer.read() or b"null")

    def raw(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.record.port), timeout=PATIENCE_SECONDS) as line:
            line.sendall(request)
            line.shutdown(socket.SHUT_WR)
            found = b""
            while piece := line.recv(65536):
                found += piece
        return found


@pytest.fixture
def running(data: Path, backends: dict[str, int]) -> Iterator[Running]:
    found = Running(folder_of("one"), backends)
    yield found
    for line in found.lines:
        line.close()
    switch.stop(found.folder)
    assert not switch.is_running(found.folder)


def test_a_kept_connection_follows_the_switch(running: Running) -> None:
    running.route(blue=1)
    line = running.line()
    assert running.get(line=line)[1]["name"] == "blue"
    running.route(green=1)
    assert running.get(line=line)[1]["name"] == "green"


@pytest.mark.parametrize("weight", [1, 10, 33, 99])
def test_weights_are_kept_exactly(running: Running, weight: int) -> None:
    running.route(blue=100 - weight, green=weight)
    assert Counter(running.get()[1]["name"] for _ in range(100)) == {"blue": 100 - weight, "green": weight}


def test_without_a_release_it_says_so(running: Running) -> None:
    running.route()
    assert running.get() == (503, {"error": "no release serves here at the moment"})


def test_a_backend_that_takes_no_connection_is_passed_over(running: Running) -> None:
    running.route(dead=1, green=1)
    assert {running.get()[1]["name"] for _ in range(6)} == {"green"}
    told = switch.ask(running.folder, "status")["releases"]
    assert told["dead"]["bad"] >= 3 and told["green"]["good"] == 6
    running.route(dead=1)
    status, body = running.get()
    assert status == 502 and "no connection" in body["error"]


def test_a_request_without_an_answer_is_repeated_only_if_it_may_be(running: Running) -> None:
    running.route(blue=1)
    assert running.get("/hang-up")[0] == 502
    line = running.line()
    line.request("POST", "/", body=b"x" * ECHO_LIMIT)
    assert json.loads(line.getresponse().read()) == {"name": "blue", "length": ECHO_LIMIT}


def test_an_answer_that_is_cut_off_is_cut_off_for_the_client_too(running: Running) -> None:
    running.route(blue=1)
    line = running.line()
    line.request("GET", "/cut")
    with pytest.raises(http.client.IncompleteRead):
        line.getresponse().read()
    told = switch.ask(running.folder, "status")["releases"]["blue"]
    assert told["bad"] == 1 and told["failures"][0]["path"] == "/cut" and told["open"] == 0


def test_bodies_heads_and_lengths_pass(running: Running) -> None:
    running.route(blue=1)
    line = running.line()
    line.request("POST", "/", body=iter([b"a" * 10, b"b" * 100_000]), encode_chunked=True,
                 headers={"Transfer-Encoding": "chunked"})  # fmt: skip
    assert json.loads(line.getresponse().read())["length"] == 100_010
    line.request("HEAD", "/")
    answer = line.getresponse()
    assert (answer.status, answer.getheader("Content-Length"), answer.read()) == (200, "5", b"")
    assert running.get(line=line)[0] == 200
    body = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\nabc"
    answered = running.raw(body)
    assert b'"length": 3' in answered


def test_who_asks_is_told_behind_what_the_operators_proxy_says(running: Running) -> None:
    running.route(blue=1)
    line = running.line()

    def heard(**given: str) -> dict[str, str]:
        line.request("GET", "/", headers={name.replace("_", "-"): value for name, value in given.items()})
        return dict(json.loads(line.getresponse().read())["headers"])

    headers = heard(X_Forwarded_For="8.8.8.8", Connection="X-Secret", X_Secret="1")
    assert headers["X-Forwarded-For"] == "8.8.8.8, 127.0.0.1" and "X-Secret" not in headers
    assert (
        heard(X_Forwarded_Proto="https")["X-Forwarded-Proto"] == "https"
    )  # TLS ended there; else it redirects for ever
    assert heard(X_Forwarded_Proto="gopher")["X-Forwarded-Proto"] == heard()["X-Forwarded-Proto"] == "http"
    assert heard()["X-Forwarded-For"] == "127.0.0.1"


def test_checks_of_balancers_that_speak_http_1_0_are_answered(running: Running) -> None:
    running.route(blue=1)
    assert running.raw(b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert running.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").startswith(b"HTTP/1.1 505")
    told = switch.ask(running.folder, "status")["releases"]["blue"]
    assert (told["good"], told["bad"], told["open"]) == (1, 0, 0)


@pytest.mark.parametrize("request_", [
    b"GET / HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 100_000,
], ids=["no host", "nonsense", "a space", "two lengths", "no length", "a long header"])  # fmt: skip
def test_what_is_no_request_reaches_no_backend(running: Running, request_: bytes) -> None:
    running.route(blue=1)
    assert running.raw(request_).startswith(b"HTTP/1.1 4")
    assert switch.ask(running.folder, "status")["releases"] == {}
    assert running.get()[0] == 200


def test_framing_cannot_be_taken_away_by_a_client(running: Running) -> None:
    """Else the body would be read as a request of its own."""
    running.route(blue=1)
    inner = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: content-length, close\r\nContent-Length: %d\r\n\r\n" % len(inner)
    assert b"smuggled" not in running.raw(head + inner)
    assert switch.ask(running.folder, "status")["releases"]["blue"]["requests"] == 1


def test_an_upgraded_connection_is_handed_through(running: Running) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        running.record.releases["blue"].ports[1] = server.getsockname()[1]

        def shake() -> None:
            line, _ = server.accept()
            with line:
                assert b"upgrade: websocket" in line.recv(65536).lower()
                line.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhi")
                line.sendall(line.recv(100).upper())

        thread = threading.Thread(target=shake, daemon=True)
        thread.start()
        running.route(blue=1)
        with socket.create_connection(("127.0.0.1", running.record.port), timeout=PATIENCE_SECONDS) as line:
            line.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            found = b""
            while not found.endswith(b"\r\n\r\nhi"):
                found += line.recv(100)
            line.sendall(b"hello")
            assert found.startswith(b"HTTP/1.1 101") and line.recv(100) == b"HELLO"
        thread.join(PATIENCE_SECONDS)


def test_a_switch_that_is_started_again_goes_on_with_what_it_was_told(running: Running) -> None:
    running.route(green=1)
    switch.stop(running.folder)
    assert switch.ensure(running.folder, running.record)["generation"] == 1
    assert running.get()[1]["name"] == "green"


def test_there_is_one_switch_for_a_deployment(running: Running) -> None:
    first = running.route(green=1)["pid"]
    assert running.route(blue=1)["pid"] == first


def test_a_routing_of_one_is_json(running: Running) -> None:
    running.route(blue=1)
    told = json.loads((running.folder.path / "switch.json").read_text())
    assert told["backends"] == [Backend(release="blue", replica=1, port=running.backends["blue"]).to_json()]

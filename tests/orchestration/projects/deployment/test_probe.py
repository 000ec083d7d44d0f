"""Health endpoints that mean no good: each question ends in time, within bounds, and tells why it is not good."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from pytest_django import Settings

from orchestration.core.deployment.window import EXCERPT
from orchestration.projects.deployment.probe import MOST_BODY, ask_port, ask_url
from tests.support.waiting import PATIENCE_SECONDS

HEAD = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n"
Answerer = Callable[[socket.socket, threading.Event], None]


def says(status: bytes, body: bytes = b"", more: bytes = b"") -> Answerer:
    return lambda line, _: line.sendall(HEAD % (status, len(body), more) + body)


def drips(line: socket.socket, stop: threading.Event) -> None:
    line.sendall(HEAD % (b"200 OK", 10_000, b""))
    while not stop.wait(0.05):
        line.sendall(b"x")


def drips_its_head(line: socket.socket, stop: threading.Event) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n")
    while not stop.wait(0.05):
        line.sendall(b"X: y\r\n")


def floods(line: socket.socket, stop: threading.Event) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not stop.is_set():
        line.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")


def is_silent(line: socket.socket, stop: threading.Event) -> None:
    stop.wait()


def has_an_endless_header(line: socket.socket, stop: threading.Event) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while not stop.is_set():
        line.sendall(b"y" * 65536)


@contextmanager
def serving(answer: Answerer) -> Iterator[int]:
    stop = threading.Event()

    def loop(server: socket.socket) -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError):
                line, _ = server.accept()
                with line, contextlib.suppress(OSError):
                    line.recv(65536)
                    answer(line, stop)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        thread = threading.Thread(target=loop, args=(server,), daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stop.set()
            thread.join(PATIENCE_SECONDS)


CASES = [
    ("is well", says(b"200 OK", b"ok"), 200, ""),
    ("says nothing", says(b"204 No Content"), 204, ""),
    ("is unwell", says(b"503 Service Unavailable", b"no db"), 503, "service unavailable"),
    ("redirects", says(b"302 Found", b"", b"Location: http://169.254.169.254/latest/meta-data\r\n"), 302,
     "redirects to 169.254.169.254, which is not followed"),
    ("drips", drips, 0, "no whole answer within 0.5 s"),
    ("drips its head", drips_its_head, 0, "no whole answer within 0.5 s"),
    ("is silent", is_silent, 0, "no whole answer within 0.5 s"),
    ("floods", floods, 200, ""),
    ("has an endless header", has_an_endless_header, 0, "no answer"),
    ("talks nonsense", lambda line, _: line.sendall(b"SSH-2.0-x\r\n\r\n"), 0, "no answer"),
    ("hangs up", lambda line, _: None, 0, "no answer"),
    ("promises more", lambda line, _: line.sendall(HEAD % (b"200 OK", 99, b"") + b"x"), 0, "no answer"),
]  # fmt: skip


@pytest.mark.parametrize("by", ["port", "url"])
@pytest.mark.parametrize(("answer", "status", "error"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_endpoint_that(by: str, answer: Answerer, status: int, error: str, settings: Settings) -> None:
    with serving(answer) as port:
        settings.ZEN_OUTBOUND_ALLOW = (f"127.0.0.1:{port}",)
        began = time.monotonic()
        url = f"http://127.0.0.1:{port}/health"
        found = ask_port(port, "/health", seconds=0.5, target="p") if by == "port" else ask_url(url, seconds=0.5)
        assert time.monotonic() - began < 5
    assert found.status == status and (found.error == "" if error == "" else error in found.error), found


def test_a_huge_error_is_kept_in_part() -> None:
    with serving(says(b"500 Internal Server Error", b"x" * 10 * MOST_BODY)) as port:
        found = ask_port(port, "/", seconds=5, target="p")
    assert found.status == 500 and len(found.excerpt) == EXCERPT


def test_a_private_address_is_not_asked_unless_the_site_allows_it(settings: Settings) -> None:
    settings.ZEN_OUTBOUND_ALLOW = ()
    with serving(says(b"200 OK", b"ok")) as port:
        assert "not a public address" in ask_url(f"http://127.0.0.1:{port}/", seconds=5).error
    assert "metadata address" in ask_url("http://169.254.169.254/", seconds=5).error


def test_a_port_where_nobody_is_gives_no_answer() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found = ask_port(free.getsockname()[1], "/", seconds=5, target="p")
    assert found.status == 0 and "ConnectionRefusedError" in found.error

"""A server that closes a kept connection just as the next request is written to it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from foundation.outbound import circuit_breaker, transport
from orchestration.actions.base import Call
from orchestration.core.enums import Outcome
from orchestration.execution.perform import perform
from tests.support.waiting import PATIENCE_SECONDS

Build = Callable[..., Call]
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Forgetful:
    """Answers; `closes` times it sends `part` and closes, where more than `after` requests came on a connection."""

    def __init__(self, closes: int, part: bytes = b"", after: int = 1) -> None:
        self.closes, self.part, self.after, self.requests = closes, part, after, list[bytes]()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            self.threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            number = 0
            while request := connection.recv(65536):
                self.requests.append(request.partition(b" ")[0])
                number += 1
                if number > self.after and self.closes:
                    self.closes -= 1
                    connection.sendall(self.part)
                    return
                connection.sendall(ANSWER)

    def end(self) -> None:
        transport.close()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for thread in self.threads:
            thread.join(PATIENCE_SECONDS)


@pytest.fixture
def forgetful(settings: Settings) -> Iterator[Callable[..., Forgetful]]:
    made: list[Forgetful] = []

    def make(*given: Any, **more: Any) -> Forgetful:
        circuit_breaker.reset()
        transport.close()
        made.append(Forgetful(*given, **more))
        settings.ZEN_OUTBOUND_ALLOW = (made[-1].address,)
        return made[-1]

    yield make
    for one in made:
        one.end()


def outcomes(call: Build, server: Forgetful, method: str) -> list[Outcome]:
    action = {"type": "api_call", "method": method, "url": f"http://{server.address}/x"}
    return [perform(call(**action)).outcome for _ in range(2)]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_what_only_reads_is_asked_again(call: Build, forgetful: Callable[..., Forgetful], method: str) -> None:
    server = forgetful(1)
    assert outcomes(call, server, method) == [Outcome.SUCCEEDED, Outcome.SUCCEEDED] and len(server.requests) == 3


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_may_have_acted_is_not_sent_again(call: Build, forgetful: Callable[..., Forgetful], method: str) -> None:
    server = forgetful(1)
    assert outcomes(call, server, method) == [Outcome.SUCCEEDED, Outcome.UNKNOWN] and len(server.requests) == 2


def test_an_answer_that_breaks_off_is_not_asked_for_again(call: Build, forgetful: Callable[..., Forgetful]) -> None:
    server = forgetful(1, part=b"HTTP/1.1 200 OK\r\nContent-Le")
    assert outcomes(call, server, "GET") == [Outcome.SUCCEEDED, Outcome.UNKNOWN] and len(server.requests) == 2


def test_a_new_connection_that_is_closed_is_not_tried_again(call: Build, forgetful: Callable[..., Forgetful]) -> None:
    """Whoever answers nothing at all is no server that forgot."""
    server = forgetful(2, after=0)
    assert outcomes(call, server, "GET") == [Outcome.UNKNOWN, Outcome.UNKNOWN] and len(server.requests) == 2


def test_a_connection_is_given_up_before_most_servers_close_theirs() -> None:
    assert transport.IDLE_SECONDS < 5

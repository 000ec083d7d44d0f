"""A peer that is never done ends with the exchange's time, also for a client that only bounds each read."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import httpcore2
import httpx2
import pytest
from pytest_django import Settings

from foundation.outbound import guarded_connections
from foundation.outbound.transport import GuardedTransport


@pytest.fixture
def trickle(settings: Settings) -> Iterator[str]:
    """A server whose answer has a header line every 0.1 s, for ten seconds."""
    settings.ZEN_OUTBOUND_ALLOW = ["127.0.0.1"]
    ended, listener = threading.Event(), socket.create_server(("127.0.0.1", 0))

    listener.settimeout(20)

    def answer() -> None:
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            return
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n")
            for number in range(100):
                if ended.wait(0.09):
                    return
                try:
                    connection.sendall(b"X-%d: x\r\n" % number)
                except OSError:
                    return
            connection.sendall(b"\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    ended.set()
    thread.join()
    listener.close()


def test_a_trickled_answer_is_given_up(trickle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_connections, "LONGEST_EXCHANGE", 0.5)
    with (
        httpx2.Client(transport=GuardedTransport(), timeout=httpx2.Timeout(15)) as client,
        pytest.raises(httpcore2.TimeoutException, match="the time for this attempt is over|timed out"),
    ):
        client.post(trickle, json={})

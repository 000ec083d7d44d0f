"""What came of a press is told within ten seconds, or the attempt has failed: no answer holds a worker for longer."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pytest_django import Settings

from notifications.slack import tell

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"


@contextmanager
def slack_answers(settings: Settings, at_once: bytes, trickled: bytes) -> Iterator[str]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            try:
                self.wfile.write(at_once)
                for byte in trickled:
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.1)
            except OSError:
                pass  # the client has had enough

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{server.server_address[1]}"
        settings.ZEN_NOTIFY_SLACK_URL, settings.ZEN_OUTBOUND_ALLOW = f"http://{address}/api/", (address,)
        try:
            yield f"http://{address}/answers/1"
        finally:
            server.shutdown()


def test_an_answer_that_trickles_is_given_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tell, "SECONDS", 1.0)
    with slack_answers(settings, b"", HEAD + b"x" * 40) as url:
        told = tell.tell(url, "Approved")
    assert told.error == "ReadTimeout" and not told.permanent


def test_only_the_status_is_waited_for(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tell, "SECONDS", 2.0)
    with slack_answers(settings, HEAD, b"x" * 40) as url:
        assert tell.tell(url, "Approved").is_sent

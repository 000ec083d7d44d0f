"""A real mail server that answers a byte at a time: its greeting goes on until it is let go, then it takes mail."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PACE_SECONDS = 0.02


class TricklingMail:
    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.greeted = threading.Event()
        self.let_go = threading.Event()
        self.port = 0


def _handler(mail: TricklingMail) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                while not mail.let_go.is_set():
                    self.trickle(b"220-w\r\n")
                    mail.greeted.set()
                self.trickle(b"220 go\r\n")
                while line := self.rfile.readline():
                    self.answer(line.split()[0].upper())
            except OSError:
                pass  # the client has had enough

        def answer(self, verb: bytes) -> None:
            if verb == b"DATA":
                self.trickle(b"354 go\r\n")
                mail.taken.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            self.trickle(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")

        def trickle(self, answer: bytes) -> None:
            for byte in answer:
                self.wfile.write(bytes([byte]))
                time.sleep(PACE_SECONDS)

    return Handler


@contextmanager
def trickling_mail() -> Iterator[TricklingMail]:
    mail = TricklingMail()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _handler(mail)) as server:
        server.daemon_threads = True
        mail.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield mail
        finally:
            mail.let_go.set()
            server.shutdown()

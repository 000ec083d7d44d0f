"""A TCP proxy between a worker process and its database, which breaks what a test wants broken. Loopback only."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


class Proxy:
    """`cut_every`: each so many-th COMMIT reaches the server and its answer is lost; 0 for none. `shut`: nobody gets
    through, and whoever was connected is cut off. `silence`: what is connected now stays so, is read and gets nowhere.
    """

    def __init__(self, server: tuple[str, int]) -> None:
        self.server = server
        self.cut_every = self.commits = self.cuts = 0
        self.is_shut = False
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._silent: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def shut(self) -> None:
        with self._lock:
            self.is_shut = True
            for one in tuple(self._open):
                _end(one)

    def let_through(self) -> None:
        self.is_shut = False

    def silence(self) -> int:
        """Of both directions; new connections are let through. Returns how many sockets that were."""
        with self._lock:
            self._silent = set(self._open)
            return len(self._silent)

    def close(self) -> None:
        self.shut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.is_shut:
                _end(client)
            else:
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self.server)
        except OSError:
            _end(client)
            return
        with self._lock:
            self._open |= {client, server}
        lost = threading.Event()
        threading.Thread(target=self._answer, args=(server, client, lost), daemon=True).start()
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if client in self._silent:
                    continue
                if COMMIT in data and self._is_cut():
                    lost.set()
                    server.sendall(data)
                    time.sleep(0.1)  # the server does it
                    break
                server.sendall(data)
        _end(client, server)
        with self._lock:
            self._open -= {client, server}

    def _answer(self, server: socket.socket, client: socket.socket, lost: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while (data := server.recv(65536)) and not lost.is_set():
                if server not in self._silent:
                    client.sendall(data)
        _end(client, server)

    def _is_cut(self) -> bool:
        with self._lock:
            self.commits += 1
            cut = bool(self.cut_every) and self.commits % self.cut_every == 0
            self.cuts += cut
            return cut


def _end(*sockets: socket.socket) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@contextmanager
def before(url: str) -> Iterator[tuple[Proxy, str]]:
    """The proxy before a server, and the URL by which one goes through it."""
    parts = urlsplit(url)
    proxy = Proxy((parts.hostname or "127.0.0.1", parts.port or 5432))
    name = f"{parts.username or ''}{f':{parts.password}' if parts.password else ''}"
    try:
        yield proxy, parts._replace(netloc=f"{name}@127.0.0.1:{proxy.port}").geturl()
    finally:
        proxy.close()

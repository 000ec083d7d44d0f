"""The proxy breaks what it is told to, and nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from random import Random

import pytest

from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tools.chaos.proxy import COMMIT, Link, listening


@pytest.fixture
def heard() -> list[bytes]:
    return []


@pytest.fixture
def link(heard: list[bytes]) -> Iterator[Link]:
    """Before a server that gives back what it hears."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_echo, args=(server, heard), daemon=True).start()
        link = Link(server.getsockname()[1], Random(0))
        with listening(link):
            yield link
        server.shutdown(socket.SHUT_RDWR)


def _echo(server: socket.socket, heard: list[bytes]) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(connection, heard), daemon=True).start()


def _answer(connection: socket.socket, heard: list[bytes]) -> None:
    with connection:
        try:
            while data := connection.recv(1000):
                heard.append(data)
                connection.sendall(data)
        except OSError:
            return


def connected(link: Link) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), timeout=PATIENCE_SECONDS)


def says(one: socket.socket, words: bytes) -> bytes:
    """The answer; nothing when the connection is broken."""
    try:
        one.sendall(words)
        return one.recv(1000)
    except OSError:
        return b""


def test_it_passes_both_ways(link: Link) -> None:
    with connected(link) as one, connected(link) as other:
        assert says(one, b"hello") == b"hello" and says(other, COMMIT) == COMMIT
    assert link.lost == 0


def test_a_cut_breaks_every_connection_and_lets_none_in(link: Link) -> None:
    with connected(link) as one:
        assert says(one, b"hello") == b"hello"
        link.cut()
        wait_until(lambda: says(one, b"again") == b"", "a broken connection")
    with connected(link) as other:
        assert says(other, b"hello") == b""
    link.mend()
    with connected(link) as other:
        assert says(other, b"hello") == b"hello"


def test_a_commit_arrives_and_its_answer_is_lost(link: Link, heard: list[bytes]) -> None:
    link.lost_commits = 1.0
    with connected(link) as one:
        assert says(one, b"hello") == b"hello"
        assert says(one, COMMIT) == b""
    assert link.lost == 1 and heard == [b"hello", COMMIT]
    link.lost_commits = 0.0
    with connected(link) as other:
        assert says(other, COMMIT) == COMMIT

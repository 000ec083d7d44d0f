"""No address reads a body that is too large, with a token or without, announced or in chunks."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings

from tests.support.waiting import wait_until
from tests.system.crash.workers import ROOT
from zen_project.web.bodies import AsgiLimit, Message

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESSES = ("/livez", "/slack/actions/", "/api/v1/runs/", "/api/v1/schema/", "/admin/login/", "/nowhere", "/")
MANY = 150 * 1024**2


@pytest.fixture
def port(process_env: dict[str, str]) -> Iterator[int]:
    """Of the real server."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "zen_project.asgi:application", "--port", str(number)]
    server = subprocess.Popen(command, cwd=ROOT, env=process_env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def is_up() -> bool:
        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", number)) == 0

    try:
        wait_until(is_up, "uvicorn")
        yield number
    finally:
        server.kill()
        server.wait()


def talk(port: int, head: str, pieces: Iterator[bytes]) -> tuple[bytes, int]:
    """The answer, and how many bytes the server took before it hung up."""
    taken = 0
    with closing(socket.create_connection(("127.0.0.1", port), 60)) as line:
        line.sendall(f"{head}Host: localhost\r\n\r\n".encode())
        try:
            for piece in pieces:
                line.sendall(piece)
                taken += len(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = b""
        try:
            while chunk := line.recv(65536):
                answer += chunk
        except ConnectionResetError:
            pass
    return answer, taken


def test_the_server_hangs_up_on_a_large_body(port: int) -> None:
    large, zeros = 1024 * 1024, b"0" * 1024 * 1024
    for address in ADDRESSES:
        head = f"POST {address} HTTP/1.1\r\nContent-Length: {MANY}\r\n"
        answer, _ = talk(port, head, iter(()))  # before the first byte of it
        assert answer.startswith(b"HTTP/1.1 413") and b"application/problem+json" in answer, (address, answer[:200])
    for address in ADDRESSES[:2]:
        chunks = (f"{large:x}\r\n".encode() + zeros + b"\r\n" for _ in range(150))
        _, taken = talk(port, f"POST {address} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", chunks)
        assert taken < 60 * large, (address, taken)
    head = "POST /livez HTTP/1.1\r\nContent-Length: 5\r\nConnection: close\r\n"
    assert b"413" not in talk(port, head, iter((b"12345",)))[0].split(b"\r\n")[0]


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("announced", [None, b"10"])
def test_chunks_are_counted_while_they_come(path: str, announced: bytes | None) -> None:
    read = 0
    sent: list[Message] = []

    async def receive() -> Message:
        nonlocal read
        read += 1024**2
        return {"type": "http.request", "body": b"0" * 1024**2, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    async def reads_all(scope: Message, receive: object, send: object) -> None:
        while (await receive())["more_body"]:  # type: ignore[operator]
            pass

    headers = [(b"Content-Length", announced)] if announced else []
    async_to_sync(AsgiLimit(reads_all))({"type": "http", "path": path, "headers": headers}, receive, send)
    assert sent[0]["status"] == 413 and read <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1024**2
    assert json.loads(sent[1]["body"])["field"] == "body"


def test_the_other_interface_refuses_it_too() -> None:
    from zen_project.wsgi import application

    for address in ADDRESSES:
        told: list[str] = []
        environ = {"PATH_INFO": address, "REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(MANY)}
        body = b"".join(application(environ, lambda status, headers, told=told: told.append(status)))
        assert told[0].startswith("413") and json.loads(body)["status"] == 413

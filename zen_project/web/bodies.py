"""Refuses a request whose body is larger than the site reads, before it is read.

At every address, also without login.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from django.conf import settings

from foundation.api.errors import too_large_body

CONTENT_TYPE = "application/problem+json"
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _TooLarge(Exception):
    pass


class AsgiLimit:
    """By Content-Length before the first byte, and by what has come where there is none (chunks, HTTP/2).

    The answer is 413 as problem details, and the connection is closed: nobody reads the rest.
    """

    def __init__(self, app: Any) -> None:
        self.app: Asgi = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if _announced(scope["headers"]) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            await _refuse(scope, send)
            return
        counted, watched = _Counted(receive), _Watched(send)
        try:
            await self.app(scope, counted, watched)
        except _TooLarge:
            if watched.started:
                raise
            await _refuse(scope, send)


class _Counted:
    def __init__(self, receive: Receive) -> None:
        self.receive, self.left = receive, settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    async def __call__(self) -> Message:
        message = await self.receive()
        if message["type"] == "http.request":
            self.left -= len(message.get("body", b""))
            if self.left < 0:
                raise _TooLarge
        return message


class _Watched:
    def __init__(self, send: Send) -> None:
        self.send, self.started = send, False

    async def __call__(self, message: Message) -> None:
        self.started = True
        await self.send(message)


def _announced(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Bytes; 0 where nothing usable is said, and then they are counted."""
    lengths = [value for name, value in headers if name.lower() == b"content-length"]
    return max((int(value) for value in lengths if value.isdigit() and len(value) < 20), default=0)


async def _refuse(scope: Message, send: Send) -> None:
    body = _answer(scope["path"])
    headers = [(b"content-type", CONTENT_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": [*headers, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})


def _answer(path: str) -> bytes:
    return json.dumps(too_large_body(path)).encode()


def wsgi_limit(app: Wsgi) -> Wsgi:
    """The same under WSGI, where Django reads no more than was announced, and nothing where nothing was."""

    def limited(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        announced = str(environ.get("CONTENT_LENGTH") or "0")
        if announced.isdigit() and int(announced[:20]) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            body = _answer(environ.get("PATH_INFO", ""))
            headers = [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))]
            start_response("413 Request Entity Too Large", headers)
            return [body]
        return app(environ, start_response)

    return limited

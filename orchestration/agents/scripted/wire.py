"""ACP's JSON-RPC on stdin and stdout, with the standard library alone.

The library of the protocol takes half a second of processor time to be imported, and this program is started anew for
every session: docs/adr/0022. What it says is held against that library by the tests, whose client is made of it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

PROTOCOL_VERSION = 1
LONGEST_MESSAGE = 64 * 1024 * 1024
"""Bytes of one line."""

Params = Mapping[str, Any]
Handler = Callable[[Params], Awaitable[Mapping[str, Any]]]


class RpcError(Exception):
    """What a request is answered with when it is not done: a number of JSON-RPC, words, and details."""

    def __init__(self, code: int, message: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.data = code, data

    @classmethod
    def auth_required(cls, details: str) -> RpcError:
        """It has no sign-in."""
        return cls(-32000, "Authentication required", {"details": details})

    @classmethod
    def not_found(cls, uri: str) -> RpcError:
        """There is no such session."""
        return cls(-32002, "Resource not found", {"uri": uri})

    @classmethod
    def invalid(cls, details: str) -> RpcError:
        """A wrong argument."""
        return cls(-32602, "Invalid params", {"details": details})

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {"code": self.code, "message": str(self), "data": self.data}


class Wire:
    """One connection. `requests` and `notifications`: what its client may ask for and tell, by method."""

    def __init__(self) -> None:
        self.requests: dict[str, Handler] = {}
        self.notifications: dict[str, Callable[[Params], Awaitable[None]]] = {}
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._number = 0
        self._writer: asyncio.StreamWriter | None = None

    async def serve(self) -> None:
        """Until stdin ends. Requests are performed side by side."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=LONGEST_MESSAGE)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
        self._writer = asyncio.StreamWriter(transport, protocol, None, loop)
        while line := await reader.readline():
            self._take(line)

    async def notify(self, method: str, params: Params) -> None:
        """Tell the client."""
        await self._send({"method": method, "params": params})

    async def request(self, method: str, params: Params) -> Mapping[str, Any]:
        """Ask the client. Raises RpcError with what it answers instead."""
        self._number += 1
        answer = self._waiting[self._number] = asyncio.get_running_loop().create_future()
        try:
            await self._send({"id": self._number, "method": method, "params": params})
            found: Mapping[str, Any] = await answer
        finally:
            del self._waiting[self._number]
        return found

    async def raw(self, data: bytes) -> None:
        """Bytes that are no message."""
        if self._writer is not None:
            self._writer.write(data)
            await self._writer.drain()

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            return
        if not isinstance(message, dict):
            return
        if "method" not in message:
            self._answered(message)
            return
        task = asyncio.ensure_future(self._perform(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _answered(self, message: Params) -> None:
        answer = self._waiting.get(message.get("id") or 0)
        if answer is None or answer.done():
            return
        if (error := message.get("error")) is not None:
            answer.set_exception(RpcError(error.get("code", 0), str(error.get("message")), error.get("data")))
        else:
            answer.set_result(message.get("result") or {})

    async def _perform(self, message: Params) -> None:
        method, params = message["method"], message.get("params") or {}
        if "id" not in message:
            if (told := self.notifications.get(method)) is not None:
                await told(params)
            return
        try:
            handler = self.requests.get(method)
            if handler is None:
                raise RpcError(-32601, "Method not found", {"method": method})
            answer = {"result": await handler(params)}
        except RpcError as error:
            answer = {"error": error.plain()}
        except (KeyError, TypeError) as error:
            answer = {"error": RpcError.invalid(f"{type(error).__name__}: {error}").plain()}
        await self._send({"id": message["id"], **answer})

    async def _send(self, message: Params) -> None:
        await self.raw(json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":")).encode() + b"\n")

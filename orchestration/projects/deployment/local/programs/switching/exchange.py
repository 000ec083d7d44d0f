"""One request at a backend, over a connection of its own."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import h11

from .client import ClientConnection
from .limits import CHUNK, MOST_HEAD, SILENT_SECONDS
from .pipes import joined

HOP = {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"upgrade", b"expect"}
FRAMING = {b"host", b"content-length", b"transfer-encoding"}
"""No header of a client's own takes these away: they say where its request ends."""


class Unanswered(Exception):
    """The backend gave no answer; nothing was handed to the client."""


class Cut(OSError):
    """The backend's answer ended in the middle: the client's has to end so too."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Exchange:
    """A request at a backend, over a connection of its own."""

    def __init__(
        self,
        conversation: ClientConnection,
        request: h11.Request,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.conversation, self.request, self.reader, self.writer = conversation, request, reader, writer
        self.backend = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD)
        self.client_has_gone = False

    async def run(self) -> int:
        """The status that the client was given. Raises Unanswered and Cut; OSError when the client has gone."""
        try:
            await self.send(h11.Request(method=self.request.method, target=self.request.target, headers=self.headers()))
        except OSError as error:
            raise Unanswered(f"the connection was cut: {type(error).__name__}") from None
        sending = asyncio.ensure_future(self.body())
        try:
            return await self.answer()
        except (Unanswered, Cut):
            if self.client_has_gone:  # which is no fault of the release
                raise ConnectionAbortedError from None
            raise
        finally:
            if not sending.done():
                sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError, asyncio.TimeoutError, h11.ProtocolError):
                await sending

    def headers(self) -> list[tuple[bytes, bytes]]:
        listed = [value for name, value in self.request.headers if name == b"connection"]
        named = {word.strip().lower() for value in listed for word in value.split(b",")}
        taken = HOP | (named - FRAMING)
        kept = [(name, value) for name, value in self.request.headers if name not in taken]
        upgrade = [value for name, value in self.request.headers if name == b"upgrade"] if b"upgrade" in named else []
        more = self.forwarded()
        kept = [(name, value) for name, value in kept if name not in (b"x-forwarded-for", b"x-forwarded-proto")]
        if not any(name == b"host" for name, _ in kept):  # as HTTP/1.0 has it, which balancers' checks still speak
            more.append((b"Host", b"localhost"))
        if upgrade:
            return [*kept, *more, (b"Connection", b"upgrade"), (b"Upgrade", upgrade[0])]
        return [*kept, *more, (b"Connection", b"close")]

    def forwarded(self) -> list[tuple[bytes, bytes]]:
        """Who asks is on this machine: the operator's own proxy, which knows for whom, and whether over TLS. We say who
        that was, as every proxy on the way does."""
        peer = self.conversation.writer.get_extra_info("peername") or ("unknown",)
        told = [value for name, value in self.request.headers if name == b"x-forwarded-for"]
        schemes = [value.strip().lower() for name, value in self.request.headers if name == b"x-forwarded-proto"]
        scheme = schemes[0] if schemes in ([b"https"], [b"http"]) else b"http"
        return [(b"X-Forwarded-For", b", ".join((*told, str(peer[0]).encode()))), (b"X-Forwarded-Proto", scheme)]

    async def send(self, event: Any) -> None:
        data = self.backend.send(event)
        if data:
            self.writer.write(data)
            await asyncio.wait_for(self.writer.drain(), SILENT_SECONDS)

    async def body(self) -> None:
        while True:
            event = await self.conversation.event(SILENT_SECONDS)
            if isinstance(event, h11.Data):
                await self.send(h11.Data(data=event.data))
            elif isinstance(event, h11.EndOfMessage):
                await self.send(h11.EndOfMessage())
                return
            else:
                self.client_has_gone = isinstance(event, h11.ConnectionClosed)
                if self.client_has_gone:
                    self.writer.close()
                return

    async def event(self) -> Any:
        while True:
            event = self.backend.next_event()
            if event is not h11.NEED_DATA:
                return event
            self.backend.receive_data(await asyncio.wait_for(self.reader.read(CHUNK), SILENT_SECONDS))

    async def answer(self) -> int:
        response = await self.head()
        if response.status_code == 101:
            await self.tunnel(response)
            return 101
        headers = [(name, value) for name, value in response.headers if name not in HOP]
        out = self.conversation
        await out.send(h11.Response(status_code=response.status_code, headers=headers, reason=response.reason))
        while True:
            try:
                event = await self.event()
            except (TimeoutError, OSError, h11.RemoteProtocolError) as error:
                raise Cut(response.status_code, f"the answer was cut off: {type(error).__name__}") from None
            if isinstance(event, h11.Data):
                await out.send(h11.Data(data=event.data))
            elif isinstance(event, h11.EndOfMessage):
                await out.send(h11.EndOfMessage())
                return int(response.status_code)
            else:
                raise Cut(response.status_code, "the answer was cut off")

    async def head(self) -> Any:
        while True:
            try:
                event = await self.event()
            except (TimeoutError, OSError, h11.RemoteProtocolError) as error:
                raise Unanswered(f"no answer that can be read: {type(error).__name__}") from None
            if isinstance(event, h11.Response):
                return event
            if isinstance(event, h11.InformationalResponse):
                if event.status_code == 101:
                    return event
                continue
            raise Unanswered("the connection was closed without an answer")

    async def tunnel(self, response: Any) -> None:
        """After 101 the two talk as they like, until one ends."""
        out = self.conversation
        out.writer.write(out.client.send(response) or b"")
        first, _ = self.backend.trailing_data
        out.writer.write(first)
        await out.writer.drain()
        ahead, _ = out.client.trailing_data
        self.writer.write(ahead)
        await joined((self.reader, out.writer), (out.reader, self.writer))

    def close(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            self.writer.close()

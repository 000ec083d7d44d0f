"""The client's side of a connection: what it asks is read, what it is answered is written."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import h11

from .limits import CHUNK, MOST_HEAD, SILENT_SECONDS


class ClientConnection:
    """A client's connection as events of HTTP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.client = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD)

    async def event(self, seconds: float) -> Any:
        while True:
            event = self.client.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self.client.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[])
                await self.send(go_on)
            self.client.receive_data(await asyncio.wait_for(self.reader.read(CHUNK), seconds))

    async def send(self, event: Any) -> None:
        data = self.client.send(event)
        if data:
            self.writer.write(data)
            await asyncio.wait_for(self.writer.drain(), SILENT_SECONDS)

    async def refuse(self, status: int, why: str) -> None:
        """An answer of the switch's own."""
        if self.client.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        body = json.dumps({"error": why}).encode() + b"\n"
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Connection", "close")]
        if status == 503:
            headers.append(("Retry-After", "1"))
        await self.send(h11.Response(status_code=status, headers=headers))
        await self.send(h11.Data(data=body))
        await self.send(h11.EndOfMessage())

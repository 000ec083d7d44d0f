"""A client's connection."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import h11

from .exchange import Cut, Exchange, Unanswered
from .limits import CHUNK, CONNECT_SECONDS, IDLE_SECONDS, MOST_HEAD, SILENT_SECONDS
from .state import State

REPEATABLE = {b"GET", b"HEAD", b"OPTIONS"}


class Conversation:
    """A client's connection: its requests one after another."""

    def __init__(self, state: State, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.state, self.reader, self.writer = state, reader, writer
        self.client = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD)

    async def run(self) -> None:
        while True:
            try:
                request = await self.event(IDLE_SECONDS)
            except h11.RemoteProtocolError as error:
                await self.refuse(error.error_status_hint, "the request cannot be read")
                return
            if not isinstance(request, h11.Request):
                return
            if request.http_version not in (b"1.0", b"1.1"):
                await self.refuse(505, "this speaks HTTP/1.1")
                return
            await self.request(request)
            if self.client.our_state is not h11.DONE or self.client.their_state is not h11.DONE:
                return
            if self.state.ending.is_set():
                return
            self.client.start_next_cycle()

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

    async def request(self, request: h11.Request) -> None:
        tries = self.state.table.in_turn()
        if not tries:
            await self.refuse(503, "no release serves here at the moment")
            return
        method, path = request.method.decode("latin-1"), request.target.decode("latin-1")
        can_repeat = request.method in REPEATABLE and not _has_body(request)
        why = ""
        for release, port in tries:
            counts = self.state.counts[release]
            with self.state.opened(port):
                try:
                    streams = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), CONNECT_SECONDS)
                except (TimeoutError, OSError) as error:
                    why = f"no connection: {type(error).__name__}"
                    counts.note(method, path, 0, why)
                    continue
                counts.requests += 1
                counts.open += 1
                exchange = Exchange(self, request, *streams)
                try:
                    counts.note(method, path, await exchange.run(), "")
                    return
                except Unanswered as error:
                    why = str(error)
                    counts.note(method, path, 0, why)
                    if not can_repeat:
                        break
                except Cut as error:
                    counts.note(method, path, error.status, str(error))
                    raise
                finally:
                    counts.open -= 1
                    exchange.close()
        await self.refuse(502, f"the release gave no answer ({why})")


def _has_body(request: h11.Request) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") and value != b"0" for name, value in request.headers)

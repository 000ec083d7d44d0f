"""A client's connection."""

from __future__ import annotations

import asyncio

import h11

from .client import ClientConnection
from .exchange import Cut, Exchange, Unanswered
from .limits import CONNECT_SECONDS, IDLE_SECONDS
from .state import State

REPEATABLE = {b"GET", b"HEAD", b"OPTIONS"}


class Conversation(ClientConnection):
    """A client's connection: its requests one after another."""

    def __init__(self, state: State, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self.state = state

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

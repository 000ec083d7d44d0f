"""A TCP proxy that cuts: all connections at once, or the answer to a COMMIT."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
"""PostgreSQL's simple query COMMIT."""
PIECE = 65_536
ON_ITS_WAY_SECONDS = 0.1
"""How long a COMMIT whose answer is lost has to take effect."""


class Link:
    """From a port of its own to a server's. `open` lets connections in; `lost_commits` is a probability."""

    def __init__(self, upstream: int, random: Random) -> None:
        self.upstream, self.random = upstream, random
        self.port = 0
        self.open, self.lost_commits, self.lost = True, 0.0, 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def cut(self) -> None:
        """From any thread: break every connection, and let none in until `mend`."""
        self.open = False
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._break)

    def mend(self) -> None:
        self.open = True

    def _break(self) -> None:
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def listen(self) -> asyncio.Server:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.open:
            writer.transport.abort()
            return
        try:
            answers, onward = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, onward}
        self._writers |= both
        muted = asyncio.Event()
        heard = [
            asyncio.create_task(self._answer(answers, writer, muted)),
            asyncio.create_task(self._ask(reader, onward, muted)),
        ]
        with suppress(asyncio.CancelledError):  # asyncio's streams would report it as a fault
            await asyncio.wait(heard, return_when=asyncio.FIRST_COMPLETED)
        for task in heard:
            task.cancel()
        for one in both:
            one.transport.abort()
        self._writers -= both

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, muted: asyncio.Event) -> None:
        with suppress(OSError):
            while data := await reader.read(PIECE):
                if not muted.is_set():
                    writer.write(data)
                    await writer.drain()

    async def _ask(self, reader: asyncio.StreamReader, onward: asyncio.StreamWriter, muted: asyncio.Event) -> None:
        """What the client says. A COMMIT whose answer is lost is the last of the connection."""
        with suppress(OSError):
            while data := await reader.read(PIECE):
                last = COMMIT in data and self.random.random() < self.lost_commits
                if last:
                    self.lost += 1
                    muted.set()
                onward.write(data)
                await onward.drain()
                if last:
                    await asyncio.sleep(ON_ITS_WAY_SECONDS)
                    return


@contextmanager
def listening(*links: Link) -> Iterator[None]:
    """Each link has its port while the block runs, in a thread of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="proxy", daemon=True)
    thread.start()
    try:
        servers = [asyncio.run_coroutine_threadsafe(link.listen(), loop).result(60) for link in links]
        yield
        asyncio.run_coroutine_threadsafe(_ended(servers), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()


async def _ended(servers: list[asyncio.Server]) -> None:
    for server in servers:
        server.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

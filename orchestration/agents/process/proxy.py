"""The one way out of a sandbox with a list of hosts: a proxy in the worker, for one program.

It accepts on sockets that joined.py has opened inside. It takes CONNECT and plain http to hosts of the list, resolves
each name once, has foundation.outbound judge what came of it, and dials just that. docs/adr/0021 says why it is ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import httpcore2

from foundation.outbound.guarded_connections import Refused, resolve
from orchestration.agents.base import Sandbox
from orchestration.agents.process.allow_list import AllowList
from orchestration.agents.process.proxy_request import HEAD_BYTES, Asked, NotAsked, answer, asked

MOST_CONNECTIONS = 256
HEAD_SECONDS, DIAL_SECONDS, IDLE_SECONDS, PAUSE_SECONDS = 30.0, 10.0, 900.0, 0.1
PIECE = 64 * 1024
MOST_TOLD = 50
"""Different hosts that are told of one program."""
RESOLVERS = 4
LONGEST_MESSAGE = 4096

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def proxy_for(sandbox: Sandbox, on_denied: Callable[[str], None]) -> Proxy | None:
    """The proxy of a sandbox with a list; None for another network."""
    return Proxy(sandbox.hosts, on_denied) if sandbox.network == "hosts" else None


class Proxy:
    """`begin` once the program was started with `theirs` as its channel; `end`, whatever happened, ends all of it.

    `on_denied` is called in a thread of its own with what was asked for, once for each host.
    """

    def __init__(self, hosts: Iterable[str], on_denied: Callable[[str], None]) -> None:
        self._list, self._on_denied = AllowList(hosts), on_denied
        self._mine, self.theirs = socket.socketpair()
        self._mine.setblocking(False)
        self._told: set[str] = set()
        self._open: set[asyncio.Task[None]] = set()
        self._resolvers = ThreadPoolExecutor(RESOLVERS, thread_name_prefix="zen-proxy-resolver")
        self._loop = asyncio.new_event_loop()
        self._serving = self._loop.create_task(self._serve())
        self._thread = threading.Thread(target=self._run, name="zen-proxy", daemon=True)

    def begin(self) -> None:
        """Serve, in a thread."""
        self.theirs.close()
        self._thread.start()

    def end(self) -> None:
        """Every connection is closed, and nothing is left. May be called again, also without `begin`."""
        if self._loop.is_closed():
            return
        with contextlib.suppress(RuntimeError):  # it has closed by itself meanwhile
            self._loop.call_soon_threadsafe(self._serving.cancel)
        if self._thread.ident is None:
            self._run()
        else:
            self._thread.join()
        self.theirs.close()

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._serving)
        self._resolvers.shutdown(wait=False, cancel_futures=True)
        self._mine.close()
        self._loop.close()

    async def _serve(self) -> None:
        servers: list[socket.socket] = []
        try:
            words, servers = await self._received()
            ways = [self._list.loopback[int(word)][1:] for word in words[1:]]
            if not servers:
                return
            accepting = [self._accept(server, way) for server, way in zip(servers, [None, *ways], strict=True)]
            await asyncio.gather(*accepting)
        finally:
            for server in servers:
                server.close()
            for task in self._open:
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    async def _received(self) -> tuple[list[str], list[socket.socket]]:
        """What joined.py sends. Without it, as its program ended before, there is nothing to serve."""
        readable = asyncio.Event()
        self._loop.add_reader(self._mine, readable.set)
        try:
            await readable.wait()
        finally:
            self._loop.remove_reader(self._mine)
        message, descriptors, _, _ = socket.recv_fds(self._mine, LONGEST_MESSAGE, 1 + len(self._list.loopback))
        servers = [socket.socket(fileno=one) for one in descriptors]
        for server in servers:
            server.setblocking(False)
        return message.decode().split(",") if servers else ["proxy"], servers

    async def _accept(self, server: socket.socket, way: tuple[int, str] | None) -> None:
        """`way`: port and host to which its connections lead; None for those that ask."""
        while True:
            try:
                client, _ = await self._loop.sock_accept(server)
            except OSError:  # it is gone again, or there is no descriptor for it now
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if len(self._open) >= MOST_CONNECTIONS:
                client.close()
                continue
            task = self._loop.create_task(self._talk(client, way))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

    async def _talk(self, client: socket.socket, way: tuple[int, str] | None) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection(sock=client, limit=HEAD_BYTES)
            try:
                wanted = Asked(way[1], way[0]) if way else asked(await _head(reader))
                await self._join((reader, writer), wanted)
            except NotAsked as no:
                writer.write(answer(no.status, str(no)))
                await writer.drain()
            finally:
                writer.close()

    async def _join(self, client: Streams, wanted: Asked) -> None:
        there = await self._dialled(wanted.host, wanted.port)
        try:
            there[1].write(wanted.head)
            client[1].write(wanted.reply)
            await _both_ways(client, there)
        finally:
            there[1].close()

    async def _dialled(self, host: str, port: int) -> Streams:
        where = f"{host}:{port}"
        remedy = f"to allow it name it in the endpoint's list: --network hosts --host {where}"
        if not self._list.allows(host, port):
            self._tell(f"asked for {where}, which is not in its list of hosts")
            raise NotAsked(403, f"{where} is not in the list of hosts that this agent may reach; {remedy}")
        try:
            found = await self._loop.run_in_executor(self._resolvers, resolve, host, port, self._list.private, remedy)
        except Refused as refused:
            self._tell(f"asked for {where}: {refused}")
            raise NotAsked(403, str(refused)) from None
        except httpcore2.ConnectError as error:
            raise NotAsked(502, str(error)) from None
        for address in found:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(DIAL_SECONDS):
                    return await asyncio.open_connection(address, port)
        raise NotAsked(502, f"{where} takes no connection; try again later, or see whether it is up")

    def _tell(self, text: str) -> None:
        if text not in self._told and len(self._told) <= MOST_TOLD:
            self._told.add(text)
            self._on_denied(text if len(self._told) <= MOST_TOLD else "asked for more hosts that it may not reach")


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(HEAD_SECONDS):
            return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise NotAsked(431, f"the head of the request has more than {HEAD_BYTES} bytes; send fewer headers") from None
    except TimeoutError:
        raise NotAsked(408, f"no request came within {HEAD_SECONDS:g} s; ask at once") from None


async def _both_ways(one: Streams, other: Streams) -> None:
    """Until both have ended, one has failed, or nothing has gone either way for IDLE_SECONDS."""
    last = [asyncio.get_running_loop().time()]
    pumps = [asyncio.ensure_future(_pump(a, b, last)) for (a, _), (_, b) in ((one, other), (other, one))]
    try:
        await asyncio.gather(*pumps)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, last: list[float]) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        try:
            async with asyncio.timeout_at(last[0] + IDLE_SECONDS) as limit:
                data = await reader.read(PIECE)
                writer.write(data)
                await writer.drain()
        except TimeoutError:
            if not limit.expired() or clock() - last[0] >= IDLE_SECONDS:
                raise
            continue
        last[0] = clock()
        if not data:
            if writer.can_write_eof():
                writer.write_eof()
            return

"""The switch of a deployment: takes requests on a port of the loopback and hands each to a backend, by weights.

    python -I switch.py FOLDER

FOLDER/switch.json says `generation`, `port` and `backends` ({release, replica, port, weight}); it is replaced whole,
and read at the start and when the control socket FOLDER/switch.sock is told {"do": "reload"}. {"do": "status"} answers
with what was counted. Each request is judged anew, so a kept connection follows the switch at once; a request that
runs keeps its backend. A backend that takes no connection is passed over for another, before anything was sent to it.
Exit codes: 3 the port is taken, 4 another switch serves this folder.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import h11

CONNECT_SECONDS = 5.0
IDLE_SECONDS = 75.0
SILENT_SECONDS = 300.0
MOST_CONNECTIONS = 1000
MOST_HEAD = 64 * 1024
CHUNK = 64 * 1024
KEPT_FAILURES = 20
REPEATABLE = {b"GET", b"HEAD", b"OPTIONS"}
HOP = {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"upgrade", b"expect"}
FRAMING = {b"host", b"content-length", b"transfer-encoding"}
"""No header of a client's own takes these away: they say where its request ends."""


class Unanswered(Exception):
    """The backend gave no answer; nothing was handed to the client."""


class Counts:
    """What one release was asked and answered."""

    def __init__(self) -> None:
        self.open = self.requests = self.good = self.bad = self.unanswered = 0
        self.statuses: collections.Counter[str] = collections.Counter()
        self.failures: collections.deque[dict[str, Any]] = collections.deque(maxlen=KEPT_FAILURES)

    def note(self, method: str, path: str, status: int, error: str) -> None:
        self.statuses[str(status or "none")] += 1
        if not error and status < 500:
            self.good += 1
            return
        self.bad += 1
        self.unanswered += not status
        told = {"method": method, "path": path.partition("?")[0][:200], "status": status, "error": error}
        self.failures.append({"time": time.time(), **told})

    def told(self) -> dict[str, Any]:
        names = ("open", "requests", "good", "bad", "unanswered")
        numbers = {name: getattr(self, name) for name in names}
        return {**numbers, "statuses": dict(self.statuses), "failures": list(self.failures)}


class Table:
    """The backends, chosen in turn so that any stretch of requests is shared by the weights (smooth round robin)."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.generation, self.port = int(told["generation"]), int(told["port"])
        self.backends = [(str(b["release"]), int(b["port"]), int(b["weight"])) for b in told["backends"]]
        self.credit = [0] * len(self.backends)

    def in_turn(self) -> list[tuple[str, int]]:
        """The one whose turn it is, and after it the others, for when it cannot be reached."""
        if not self.backends:
            return []
        for number, (_, _, weight) in enumerate(self.backends):
            self.credit[number] += weight
        chosen = max(range(len(self.backends)), key=lambda number: self.credit[number])
        self.credit[chosen] -= sum(weight for _, _, weight in self.backends)
        others = [b for number, b in enumerate(self.backends) if number != chosen and b[2] > 0]
        return [(release, port) for release, port, _ in (self.backends[chosen], *others)]


class Switch:
    def __init__(self, folder: Path) -> None:
        self.folder, self.started = folder, time.time()
        self.table = Table(json.loads((folder / "switch.json").read_text()))
        self.counts: collections.defaultdict[str, Counts] = collections.defaultdict(Counts)
        self.connections = 0
        self.open_by_port: collections.Counter[int] = collections.Counter()
        self.ending = asyncio.Event()

    async def control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One question and its answer, a line of JSON each."""
        try:
            line = await asyncio.wait_for(reader.readline(), 5)
            answer = self.answer(json.loads(line))
        except (TimeoutError, ValueError, KeyError, TypeError, OSError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        with contextlib.suppress(OSError):
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["do"] == "reload":
            table = Table(json.loads((self.folder / "switch.json").read_text()))
            if table.port != self.table.port:
                return {"error": "another port needs another switch"}
            self.table = table
        return {
            "generation": self.table.generation,
            "pid": os.getpid(),
            "port": self.table.port,
            "since": self.started,
            "connections": self.connections,
            "open": {str(port): number for port, number in self.open_by_port.items() if number},
            "releases": {release: counts.told() for release, counts in self.counts.items()},
        }

    async def client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            if self.connections <= MOST_CONNECTIONS:
                await Conversation(self, reader, writer).run()
            else:
                writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except (TimeoutError, OSError, asyncio.IncompleteReadError, h11.ProtocolError):
            pass
        finally:
            self.connections -= 1
            with contextlib.suppress(OSError, RuntimeError):
                writer.close()


class Conversation:
    """A client's connection: its requests one after another."""

    def __init__(self, switch: Switch, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.switch, self.reader, self.writer = switch, reader, writer
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
            await self.request(request)
            if self.client.our_state is not h11.DONE or self.client.their_state is not h11.DONE:
                return
            if self.switch.ending.is_set():
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
        tries = self.switch.table.in_turn()
        if not tries:
            await self.refuse(503, "no release serves here at the moment")
            return
        method, path = request.method.decode("latin-1"), request.target.decode("latin-1")
        can_repeat = request.method in REPEATABLE and not _has_body(request)
        why = ""
        for release, port in tries:
            counts = self.switch.counts[release]
            try:
                streams = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), CONNECT_SECONDS)
            except (TimeoutError, OSError) as error:
                why = f"no connection: {type(error).__name__}"
                counts.note(method, path, 0, why)
                continue
            counts.requests += 1
            counts.open += 1
            self.switch.open_by_port[port] += 1
            exchange = Exchange(self, request, *streams)
            try:
                status = await exchange.run()
                counts.note(method, path, status, "")
                return
            except Unanswered as error:
                why = str(error)
                counts.note(method, path, 0, why)
                if not can_repeat:
                    break
            except _Cut as error:
                counts.note(method, path, error.status, str(error))
                raise
            finally:
                counts.open -= 1
                self.switch.open_by_port[port] -= 1
                exchange.close()
        await self.refuse(502, f"the release gave no answer ({why})")


class _Cut(OSError):
    """The backend's answer ended in the middle: the client's has to end so too."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Exchange:
    """A request at a backend, over a connection of its own."""

    def __init__(
        self,
        conversation: Conversation,
        request: h11.Request,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.conversation, self.request, self.reader, self.writer = conversation, request, reader, writer
        self.backend = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD)
        self.client_has_gone = False

    async def run(self) -> int:
        """The status that the client was given. Raises Unanswered and _Cut; OSError when the client has gone."""
        try:
            await self.send(h11.Request(method=self.request.method, target=self.request.target, headers=self.headers()))
        except OSError as error:
            raise Unanswered(f"the connection was cut: {type(error).__name__}") from None
        sending = asyncio.ensure_future(self.body())
        try:
            return await self.answer()
        except (Unanswered, _Cut):
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
        peer = self.conversation.writer.get_extra_info("peername") or ("unknown",)
        more = [(b"X-Forwarded-For", str(peer[0]).encode()), (b"X-Forwarded-Proto", b"http")]
        kept = [(name, value) for name, value in kept if name not in (b"x-forwarded-for", b"x-forwarded-proto")]
        if upgrade:
            return [*kept, *more, (b"Connection", b"upgrade"), (b"Upgrade", upgrade[0])]
        return [*kept, *more, (b"Connection", b"close")]

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
                raise _Cut(response.status_code, f"the answer was cut off: {type(error).__name__}") from None
            if isinstance(event, h11.Data):
                await out.send(h11.Data(data=event.data))
            elif isinstance(event, h11.EndOfMessage):
                await out.send(h11.EndOfMessage())
                return int(response.status_code)
            else:
                raise _Cut(response.status_code, "the answer was cut off")

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
        pipes = [asyncio.ensure_future(_pipe(*pair)) for pair in ((self.reader, out.writer), (out.reader, self.writer))]
        await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
        for pipe in pipes:
            pipe.cancel()

    def close(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            self.writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()


def _has_body(request: h11.Request) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") and value != b"0" for name, value in request.headers)


async def serve(folder: Path) -> int:
    switch = Switch(folder)
    try:
        server = await asyncio.start_server(
            switch.client, "127.0.0.1", switch.table.port, reuse_address=True, backlog=512
        )
    except OSError as error:
        (folder / "switch.error").write_text(f"port {switch.table.port}: {error.strerror or error}")
        return 3
    socket = folder / "switch.sock"
    socket.unlink(missing_ok=True)
    here = os.open(folder, os.O_RDONLY)  # a socket's path has at most 107 bytes, a folder's has more
    control = await asyncio.start_unix_server(switch.control, f"/proc/self/fd/{here}/switch.sock")
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, switch.ending.set)
    await switch.ending.wait()
    server.close()
    control.close()
    until = time.monotonic() + 10
    while sum(switch.open_by_port.values()) and time.monotonic() < until:
        await asyncio.sleep(0.05)
    return 0


def main(folder: Path) -> int:
    lock = os.open(folder / "switch.lock", os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(40):  # whoever asks whether a switch runs holds the lock for a moment
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            time.sleep(0.05)
    else:
        return 4
    (folder / "switch.pid").write_text(str(os.getpid()))
    (folder / "switch.error").unlink(missing_ok=True)
    return asyncio.run(serve(folder))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

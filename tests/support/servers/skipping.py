"""A running time-skipping server. Its clock runs as ours until `skip` lets it jump over waits that nothing fills.

We start it ourselves: the SDK would give its JVM five seconds, which a busy machine does not have.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from temporalio.api.testservice.v1 import LockTimeSkippingRequest, UnlockTimeSkippingRequest
from temporalio.client import Client
from temporalio.service import RPCError

from tests.support.waiting import PATIENCE_SECONDS
from zen_project.embedded.ports import free_port
from zen_project.embedded.process import OwnedServer

T = TypeVar("T")


class SkippingServer:
    """`client` belongs to `loop`, which another thread runs."""

    def __init__(self, client: Client, loop: asyncio.AbstractEventLoop, address: str) -> None:
        self.client, self.loop, self.address = client, loop, address

    @contextmanager
    def skip(self) -> Iterator[None]:
        service = self.client.test_service
        called(self.loop, service.unlock_time_skipping(UnlockTimeSkippingRequest()))
        try:
            yield
        finally:
            called(self.loop, service.lock_time_skipping(LockTimeSkippingRequest()))


@contextmanager
def running(program: Path, folder: Path) -> Iterator[SkippingServer]:
    """A server of its own, with its log in the folder."""
    with _loop() as loop, started(program, folder, loop) as address:
        client = called(loop, Client.connect(address))
        yield SkippingServer(client, loop, address)


@contextmanager
def started(program: Path, folder: Path, loop: asyncio.AbstractEventLoop) -> Iterator[str]:
    port = free_port()
    address, log = f"127.0.0.1:{port}", folder / f"time-skipping-{port}.log"
    with OwnedServer(name="time-skipping server", argv=[str(program), str(port)], log=log, address=address) as server:
        server.wait_until(lambda: called(loop, _answers(address)), seconds=PATIENCE_SECONDS)
        yield address


def called(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, loop).result(PATIENCE_SECONDS)


async def _answers(address: str) -> bool:
    """A new client each time: what a refused connection leaves behind is never asked again."""
    client = await Client.connect(address, lazy=True)
    try:
        await client.service_client.check_health(timeout=timedelta(seconds=5))
    except (RPCError, RuntimeError):
        return False
    return True


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_SECONDS)
        loop.close()

"""A running time-skipping server. Its clock runs as ours until `skip` lets it jump over waits that nothing fills."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from temporalio.api.testservice.v1 import LockTimeSkippingRequest, UnlockTimeSkippingRequest
from temporalio.testing import WorkflowEnvironment

TRIES = 4


class SkippingServer:
    def __init__(self, environment: WorkflowEnvironment, loop: asyncio.AbstractEventLoop) -> None:
        self.environment, self.loop = environment, loop
        self.address = environment.client.service_client.config.target_host

    @contextmanager
    def skip(self) -> Iterator[None]:
        service = self.environment.client.test_service
        self._call(service.unlock_time_skipping(UnlockTimeSkippingRequest()))
        try:
            yield
        finally:
            self._call(service.lock_time_skipping(LockTimeSkippingRequest()))

    def _call(self, request: object) -> None:
        asyncio.run_coroutine_threadsafe(request, self.loop).result(10)  # type: ignore[arg-type]


async def started(program: Path) -> WorkflowEnvironment:
    """The SDK gives a server five seconds; on a busy machine its JVM needs more than one such chance."""
    for _ in range(TRIES - 1):
        with contextlib.suppress(RuntimeError):
            return await WorkflowEnvironment.start_time_skipping(test_server_existing_path=str(program))
    return await WorkflowEnvironment.start_time_skipping(test_server_existing_path=str(program))


@contextmanager
def running(program: Path) -> Iterator[SkippingServer]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def call(work: object) -> object:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)  # type: ignore[arg-type]

    environment = call(started(program))
    assert isinstance(environment, WorkflowEnvironment)
    try:
        yield SkippingServer(environment, loop)
    finally:
        call(environment.shutdown())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()

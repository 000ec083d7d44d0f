"""`manage.py temporal_worker`: serve the Temporal engine. SIGTERM drains; a second one stops at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from django.conf import settings

from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import UNREACHABLE, complain, note
from foundation.errors import Unreachable
from orchestration.core.queues import DEFAULT
from orchestration.ledger.live_workers import OF_TEMPORAL
from orchestration.workers import lease


class Command(ConsoleCommand):
    help = "Serve the Temporal engine."

    def handle(
        self,
        threads: Annotated[int, typer.Option(min=0, max=500, help="actions at once; 0: as ZEN_WORKER_QUEUES says")] = 0,
        task_queue: Annotated[str, typer.Option(help="default: TEMPORAL_TASK_QUEUE")] = "",
    ) -> None:
        try:
            asyncio.run(_serve({DEFAULT: threads} if threads else settings.TEMPORAL_WORKER_QUEUES, task_queue))
        except Unreachable as error:
            complain(error)
            raise typer.Exit(UNREACHABLE) from None


async def _serve(queues: Mapping[str, int], task_queue: str) -> None:
    from orchestration.workers.temporal.worker import beside, serve  # noqa: PLC0415 - temporalio is an extra

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(*_: Any) -> None:
        if stop.is_set():
            os._exit(1)
        note("finishing what is in hand; a second signal stops at once")
        loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    with beside(lease.worker_name() + OF_TEMPORAL, queues):
        note("the temporal worker is ready")
        await serve(stop, queues=queues, task_queue=task_queue)

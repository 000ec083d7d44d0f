"""The process that sends a worker's heartbeats: `python -m orchestration.workers.temporal.heartbeat_process`.

It needs neither the worker's database nor the worker's interpreter. On its standard input it gets lines of JSON: how to
connect, then what `Beats.take` reads. It ends when its worker ends, however that happens, and sends nothing for a
worker that is stopped (SIGSTOP).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

from temporalio.client import Client

from orchestration.engines.temporal.connection_options import ConnectionOptions, connect
from orchestration.workers.parent_process import is_stopped, lives
from orchestration.workers.temporal.heartbeat_sending import BEAT_SECONDS, Beats

LONGEST_LINE = 1 << 20


async def main(parent: int) -> None:
    """Read lines and send heartbeats, until the worker ends."""
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    options = ConnectionOptions(**json.loads(await reader.readline()))
    beats = Beats()
    beating = asyncio.create_task(_beat(beats, await connect(options, lazy=True), parent))
    while line := await reader.readline():
        beats.take(json.loads(line))
        if beating.done():
            break
    beating.cancel()


async def _beat(beats: Beats, client: Client, parent: int) -> None:
    while lives(parent):
        if not is_stopped(parent):
            await beats.send(client)
        await asyncio.sleep(BEAT_SECONDS)


def run() -> None:
    """The process: signals are ignored, since what the worker finishes when it is told to stop needs heartbeats."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # what the worker has in hand when it is told to stop needs its beats
    asyncio.run(main(os.getppid()))
    os._exit(0)  # not finalised, as zen_project/management/console.py says


if __name__ == "__main__":
    run()

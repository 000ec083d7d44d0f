"""Runs on a Temporal server that is up already, in a process of its own. Prints one JSON object.

`ours` is our engine; `stores` and `bare` are the hand-written saga, with and without a row of its
own for each step. Same worker settings.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import django
from django.core.management import call_command

THREADS = 32


def ours(runs: int) -> float:
    from benchmarks.celery_side import definition
    from foundation.identity.actor import CONSOLE_ROLES, Actor
    from orchestration.models import Run
    from orchestration.runs import start_run
    from orchestration.workers.temporal.worker import hosted

    actor = Actor(name="bench", door="python", roles=CONSOLE_ROLES)
    with hosted(threads=THREADS):
        start_run(definition=definition(3), actor=actor, engine="temporal")
        _wait(lambda: not Run.objects.exclude(status="completed").exists())
        began = time.perf_counter()
        for _ in range(runs):
            start_run(definition=definition(3), actor=actor, engine="temporal")
        _wait(lambda: not Run.objects.exclude(status="completed").exists())
        return runs * 3 / (time.perf_counter() - began)


def _wait(done: object) -> None:
    while not done():  # type: ignore[operator]
        time.sleep(0.02)


async def handwritten(runs: int, *, stores: bool) -> float:
    from temporalio.client import Client
    from temporalio.worker import Worker

    from benchmarks.handwritten import HandwrittenSaga, perform, undo

    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
    queue = os.environ["TEMPORAL_TASK_QUEUE"]
    with ThreadPoolExecutor(2 * THREADS) as executor:
        async with Worker(
            client,
            task_queue=queue,
            workflows=[HandwrittenSaga],
            activities=[perform, undo],
            activity_executor=executor,
            max_concurrent_activities=THREADS,
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
        ):

            async def start(number: int) -> object:
                return await client.start_workflow(
                    HandwrittenSaga.run,
                    args=[number, stores],
                    id=f"hand-{uuid.uuid4().hex}",
                    task_queue=queue,
                    task_timeout=timedelta(seconds=3),
                )

            await (await start(0)).result()  # type: ignore[attr-defined]
            began = time.perf_counter()
            handles = [await start(number) for number in range(1, runs + 1)]
            ends = await asyncio.gather(*(handle.result() for handle in handles))  # type: ignore[attr-defined]
            assert set(ends) == {"completed"}
            return runs * 3 / (time.perf_counter() - began)


def main(which: str, runs: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    os.environ["TEMPORAL_TASK_QUEUE"] = f"bench-{uuid.uuid4().hex}"
    django.setup()
    call_command("migrate", verbosity=0)
    figure = ours(runs) if which == "ours" else asyncio.run(handwritten(runs, stores=which == "stores"))
    print(json.dumps({"figure": figure}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

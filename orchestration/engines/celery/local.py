"""Worker threads of the own engine inside this process: for `saga start --wait`, the demonstration and tests."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, close_old_connections, connection

from orchestration.engines.celery import lease
from orchestration.engines.celery.work import work
from orchestration.relay import relay

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.05


@contextmanager
def hosted(threads: int = 4) -> Iterator[None]:
    """Workers go on in the background until the block is left; then what they had in hand is finished first."""
    stop = threading.Event()
    name = lease.keep_alive()
    workers = [threading.Thread(target=_loop, args=(name, n, stop), daemon=True) for n in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        stop.set()
        for worker in workers:
            worker.join(30)
        lease.end()


def _loop(name: str, number: int, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            if number == 0:
                lease.free_the_lost()
                relay()
            work(name, stop)
        except DatabaseError:
            log.warning("the database is away; trying again", exc_info=True)
            close_old_connections()
        stop.wait(IDLE_SECONDS)
    connection.close()

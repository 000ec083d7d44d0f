"""A worker of the own engine inside this process: for `saga start --wait`, the demonstration and tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.conf import settings

from orchestration.core.queues import DEFAULT
from orchestration.runs.relay import relay
from orchestration.workers.celery.host import Host


@contextmanager
def hosted(threads: int = 4, *, queues: Mapping[str, int] | None = None) -> Iterator[None]:
    """Run a worker in threads until the block is left; what it has claimed is finished then.

    It serves the given queues ({queue: threads}), otherwise all that the settings name and the default one, with
    `threads` each.
    """
    served = queues or dict.fromkeys([DEFAULT, *settings.ZEN_WORKER_QUEUES], threads)
    host = Host(served, {"orchestration.relay": (relay, 0.2)})
    host.start()
    try:
        yield
    finally:
        host.stop()

"""What makes `celery -A zen_project worker` a worker of the own engine: a step of its start-up, and no beat."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

from celery import bootsteps
from celery.apps.worker import Worker
from celery.signals import beat_embedded_init, worker_process_init, worker_shutting_down
from celery.worker import state
from django.conf import settings
from django.utils.module_loading import import_string

from orchestration.core.queues import AGENTS, AGENTS_THREADS, DEFAULT
from orchestration.workers.parent_process import end_with_parent

if TYPE_CHECKING:  # no app is ready when Celery asks for the worker's class
    from orchestration.workers.celery.host import Host, Services


class HostStep(bootsteps.StartStopStep):
    """The threads that do the work, whatever the pool. Before the consumer, which waits for a broker that is away."""

    label = "Host"
    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self.host: Host | None = None
        worker_shutting_down.connect(self._drain, weak=False)

    def start(self, worker: Any) -> None:
        """Start the threads; called by Celery."""
        from orchestration.workers.celery.host import Host  # noqa: PLC0415 - models; no app is ready before

        self.host = Host(queues_of(worker.concurrency), services(), helped=True)
        self.host.start()

    def stop(self, worker: Any) -> None:
        """Warm shutdown: what is claimed is finished first. A second signal ends the waiting."""
        if self.host is not None:
            self.host.stop(give_up=lambda: state.should_terminate not in (None, False))

    def terminate(self, worker: Any) -> None:
        """Cold shutdown: end without waiting for what is claimed."""
        if self.host is not None:
            self.host.stop(give_up=lambda: True)

    def _drain(self, **_: Any) -> None:
        if self.host is not None:
            self.host.drain()


class OwnWorker(Worker):
    """Celery's worker with our threads.

    `-B` starts a beat only when a schedule is set: services do what beat did before.
    """

    def on_before_init(self, quiet: bool = False, **kwargs: Any) -> None:
        """Add our step to Celery's start-up."""
        self.app.steps["worker"].add(HostStep)
        super().on_before_init(quiet=quiet, **kwargs)

    def prepare_args(self, **kwargs: Any) -> dict[str, Any]:
        """Celery's arguments, without a beat that would have nothing to do."""
        args: dict[str, Any] = super().prepare_args(**kwargs)
        return args | {"beat": bool(args.get("beat") and self.app.conf.beat_schedule)}


def queues_of(concurrency: int) -> dict[str, int]:
    """{queue: threads}; `worker -c N` gives the default queue N threads where ZEN_WORKER_QUEUES says nothing."""
    queues: dict[str, int] = settings.ZEN_WORKER_QUEUES
    left_out = {DEFAULT: settings.ZEN_WORKER_THREADS, AGENTS: AGENTS_THREADS}
    return {**queues, DEFAULT: concurrency} if queues == left_out else queues


def services() -> Services:
    """Those of ZEN_WORKER_SERVICES and ZEN_EVERY_WORKER_SERVICES: {name: (function, seconds between calls)}."""
    named = {**settings.ZEN_WORKER_SERVICES, **settings.ZEN_EVERY_WORKER_SERVICES}
    return {name: (import_string(path), every) for name, (path, every) in named.items()}


@beat_embedded_init.connect
def end_with_the_worker(**_: Any) -> None:
    """A beat in a process of its own ends when its worker ends, however that happens."""
    end_with_parent()
    outlive_no_parent()


@worker_process_init.connect
def outlive_no_parent(**_: Any) -> None:
    """A process of the pool ends when its worker ends."""
    threading.Thread(target=_watch_the_worker, args=(os.getppid(),), daemon=True).start()


def _watch_the_worker(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)

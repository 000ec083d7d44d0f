"""What a worker process of the own engine runs: action threads for each queue, and services beside them.

One implementation for `celery -A zen_project worker`, whatever its pool, and for commands that host a worker
themselves (in_process.py). All of it is in one process, which holds one lease.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

from django.conf import settings
from django.db import connections

from foundation import nudge as nudges
from foundation.clock import now, ticks
from foundation.db.outages import AWAY, HELD, heal
from foundation.db.statement_watch import WATCH
from orchestration.engines.celery import claims, nudge
from orchestration.workers import lease
from orchestration.workers.background_service import Failed, Health, Service
from orchestration.workers.celery import timers
from orchestration.workers.celery.worker import act
from orchestration.workers.database_watch import Steady
from orchestration.workers.lease_helper import LeaseHelper

log = logging.getLogger(__name__)

IDLE_SECONDS = 5.0
"""An idle thread looks by itself this often, should the look of each second fail."""

Services = Mapping[str, tuple[Callable[[], object], float]]
"""{name of the Celery task: (what does it once, seconds between)}."""


class _Idle:
    """The idle threads of a queue, which wait to be woken."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting = self._woken = 0

    def wait(self, seconds: float) -> None:
        with self._changed:
            if not self._woken:
                self._waiting += 1
                self._changed.wait_for(lambda: self._woken, seconds)
                self._waiting -= 1
            self._woken = max(0, self._woken - 1)

    def wake_threads(self, count: int) -> int:
        """Wake so many; at least one wake-up is kept for a thread that is about to wait. Returns how many waited."""
        with self._changed:
            waiting = self._waiting
            self._woken = min(max(self._woken, min(count, max(waiting, 1))), max(waiting, 1))
            self._changed.notify_all()
            return waiting

    @property
    def waiting(self) -> int:
        return self._waiting


class Host:
    """The threads of a worker. `queues`: {queue: action threads}.

    `services`: further services, {name: (function, seconds)}.

    `helped`: a process beside this one renews the lease while this one's threads cannot run, and silent connections to
    the database are closed.
    """

    def __init__(self, queues: Mapping[str, int], services: Services | None = None, *, helped: bool = False) -> None:
        self.queues = dict(queues)
        self.name = lease.worker_name()
        self._helper = LeaseHelper(self.name) if helped else None
        self.draining, self.stopping = threading.Event(), threading.Event()
        self._given = dict(services or {})
        self._idle = {queue: _Idle() for queue in queues}
        self._threads: dict[str, threading.Thread] = {}
        self._health: dict[str, Health] = {}
        self._steady = Steady(settings.ZEN_WORKER_LEASE_SECONDS)
        self._make: dict[str, Callable[[], threading.Thread]] = self._makers()
        self._tending = threading.Lock()

    # --- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take the lease and begin. The database may be away: then all of it begins when that is back."""
        if self._helper is not None:
            WATCH.start()
        try:
            self._renew()
        except AWAY:
            heal()
            log.warning("the database is away; this worker begins when it is back")
        for key in self._make:
            self._begin(key)
        nudge.set_host(self)
        for name in self._given:
            nudges.serve_here(name, partial(self._wake, name))

    def drain(self) -> None:
        """Let threads finish what they have claimed and claim no more."""
        self.draining.set()
        for idle in self._idle.values():
            idle.wake_threads(1_000_000)

    def stop(self, *, give_up: Callable[[], bool] = lambda: False) -> None:
        """Finish what is claimed, however long it takes, until `give_up()` is true.

        Then end the services and the lease.
        """
        self.drain()
        while not give_up() and any(self._threads[key].is_alive() for key in self._actions()):
            time.sleep(0.05)
        self.stopping.set()
        nudge.set_host(None)
        for name in self._given:
            nudges.stop_serving(name)
        for thread in self._threads.values():
            if isinstance(thread, Service):
                thread.wake()
                thread.join(10)
        if self._helper is not None:
            self._helper.stop()
        try:
            lease.release(self.name)
        except AWAY:
            log.warning("the lease could not be given up; it lapses by itself")
        connections.close_all()

    # --- what it is woken by -------------------------------------------------------------------------------------

    def wake_threads(self, queue: str, count: int) -> int:
        """Wake so many idle threads of a queue; returns how many were idle."""
        idle = self._idle.get(queue)
        return idle.wake_threads(count) if idle is not None else 0

    def wake_all(self) -> None:
        """Wake all idle threads."""
        for idle in self._idle.values():
            idle.wake_threads(1_000_000)

    def wake_timers(self) -> None:
        """Wake the timers' service, so that it reads anew when the next timer is due."""
        self._wake("timers")

    def _wake(self, name: str) -> None:
        thread = self._threads.get(name)
        if isinstance(thread, Service):
            thread.wake()

    # --- the threads ---------------------------------------------------------------------------------------------

    def _makers(self) -> dict[str, Callable[[], threading.Thread]]:
        own: Services = {
            "lease": (self._keep, settings.ZEN_WORKER_LEASE_SECONDS / 3),
            "sweep": (self._sweep, settings.ZEN_SWEEP_SECONDS),
            "timers": (self._time, settings.ZEN_SWEEP_SECONDS),
        }
        makers: dict[str, Callable[[], threading.Thread]] = {}
        for name, (do, every) in (dict(own) | self._given).items():
            self._health[name] = Health()
            makers[name] = partial(Service, name, do, every=every, stopping=self.stopping, health=self._health[name])
        for queue, count in self.queues.items():
            self._health[f"queue {queue}"] = Health()
            for number in range(count):
                name = f"{queue}-{number}"
                makers[f"action {name}"] = partial(
                    threading.Thread, target=self._act, args=(queue,), name=f"zen-action-{name}", daemon=True
                )
        return makers

    def _actions(self) -> list[str]:
        return [key for key in self._threads if key.startswith("action ")]

    def _begin(self, key: str) -> None:
        thread = self._make[key]()
        thread.start()
        self._threads[key] = thread

    def tend(self) -> None:
        """Begin threads that died anew.

        The services of lease and sweep both call it, so that each restarts the other.
        """
        if not self._tending.acquire(blocking=False):
            return
        try:
            for key, thread in list(self._threads.items()):
                ending = self.draining if key.startswith("action ") else self.stopping
                if not thread.is_alive() and not ending.is_set():
                    log.error("the thread '%s' of this worker died, and is restarted", key)
                    owner = f"queue {key.removeprefix('action ').rpartition('-')[0]}"
                    self._health[key if key in self._health else owner].begun_anew += 1
                    self._begin(key)
        finally:
            self._tending.release()

    def _keep(self) -> None:
        """Renew the lease, with the state of the services.

        Free what is claimed under our name and held by no thread.
        """
        self.tend()
        if self._helper is not None:
            self._helper.alive()
        self._renew()
        lease.free_the_unheld(self.name)

    def _renew(self) -> None:
        up_for = float("inf") if self._steady.begun else lease.server_up_for()
        lease.renew(self.name, detail=self.detail())
        self._steady.renewed(ticks(), up_for=up_for)
        if self._helper is not None:
            self._helper.renewed()

    def detail(self) -> dict[str, object]:
        """For the worker's row.

        Its queues, which services fail and since when, and what an outage of the database delayed.
        """
        failing = {name: told for name, health in self._health.items() if (told := health.told())}
        found: dict[str, object] = {"queues": self.queues}
        if failing:
            found["failing"] = failing
        if held := HELD.told():
            found["outage"] = held
        if silent := WATCH.told():
            found["silent"] = silent
        return found

    def _sweep(self) -> None:
        """Free what lost workers had claimed, and wake idle threads for commands that became ready without a nudge."""
        self.tend()
        if self._steady.lasts(ticks()):
            lease.free_the_lost()
        for queue, idle in self._idle.items():
            if idle.waiting and claims.anything_due(queue, now()):
                idle.wake_threads(1_000_000)

    def _time(self) -> float | None:
        timers.fire(self.name, self.stopping)
        left = timers.until_next()
        return None if left is None else left.total_seconds()

    def _act(self, queue: str) -> None:
        health = self._health[f"queue {queue}"]
        try:
            while not self.draining.is_set():
                self._act_once(queue, health)
                if not self.draining.is_set():
                    self._idle[queue].wait(IDLE_SECONDS)
        finally:
            connections.close_all()

    def _act_once(self, queue: str, health: Health) -> None:
        done = health.guarded(lambda: act(self.name, self.draining, queue=queue), f"the queue '{queue}'")
        if isinstance(done, Failed):
            self.draining.wait(random.uniform(0.5, 1.0))  # noqa: S311 - no secret

"""The doorbell: makes whoever does some work by itself each second look at once. Lost, it costs that second.

The threads of this process are woken where they are (`hosts`); other processes by a message of the broker, which is
sent by a thread of its own: nobody who rings ever waits for a broker.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import transaction

log = logging.getLogger(__name__)

DELIVER = "notifications.deliver"
NAMES = (
    DELIVER, "approvals.callbacks", "approvals.presses", "approvals.reconcile", "orchestration.relay",
    "orchestration.work",
)  # fmt: skip
"""Celery tasks whose work a worker does in threads of its own."""
QUIET_SECONDS = 0.05
"""A burst is one ring at its beginning and one every so often while it lasts, not one for each."""

BROKER_SECONDS = 1.0
"""Limit of each step of the talk with the broker. What is rung meanwhile is one ring when it is back."""

BACKENDS = ("kombu", "redis", "valkey", "amqp")

_hosts: dict[str, Callable[[], None]] = {}


def hosts(name: str, wake: Callable[[], None]) -> None:
    """This process does that work in threads of its own; `wake` makes them look, and never waits or fails."""
    _hosts[name] = wake


def hosts_no_more(name: str) -> None:
    _hosts.pop(name, None)


def wake(name: str) -> bool:
    """Make this process's own threads look; False when it has none for that."""
    found = _hosts.get(name)
    if found is None:
        return False
    found()
    return True


def ring(name: str) -> None:
    """Make whoever does the work of this Celery task look at once, here or elsewhere. Never fails, never waits."""
    if not wake(name):
        _ringer.ring(name)


def ring_elsewhere(name: str) -> None:
    """The same for other processes only."""
    _ringer.ring(name)


def ring_on_commit() -> None:
    """`robust`: whoever wrote the rows must never fail because a broker did."""
    transaction.on_commit(_ring_deliver, robust=True)


def flush(seconds: float = 0.2) -> None:
    """Give what was rung a moment to go out, before a process ends."""
    _ringer.flush(seconds)


def _ring_deliver() -> None:
    ring(DELIVER)


class _Ringer:
    """One thread that sends; each name waits at most once."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, None] = {}
        self._sending = False
        self._thread: threading.Thread | None = None
        self._producer: Any = None
        self._failing = False

    def ring(self, name: str) -> None:
        from celery import current_app

        if str(current_app.conf.broker_url or "").startswith("memory:"):
            return  # it reaches this process only, whose threads are woken without it
        with self._changed:
            self._waiting[name] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and not self._sending, seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                names, self._sending = list(self._waiting), True
                self._waiting.clear()
            try:
                self._send(names)
            finally:
                with self._changed:
                    self._sending = False
                    self._changed.notify_all()
            time.sleep(BROKER_SECONDS if self._failing else QUIET_SECONDS)

    def _send(self, names: list[str]) -> None:
        try:
            for name in names:
                _send(self._connected(), name)
        except Exception as error:
            self._producer = None
            if not isinstance(error, OSError) and type(error).__module__.split(".")[0] not in BACKENDS:
                log.exception("the bell failed")
            elif not self._failing:
                log.info("no doorbell (%s); whoever does the work looks by itself each second", error)
            self._failing = True
        else:
            self._failing = False

    def _connected(self) -> Any:
        if self._producer is None:
            self._producer = _new_producer()
        return self._producer


def _new_producer() -> Any:
    from celery import current_app

    limits = {"socket_timeout": BROKER_SECONDS, "socket_connect_timeout": BROKER_SECONDS}
    options = {**(current_app.conf.broker_transport_options or {}), **limits}
    connection = current_app.connection(connect_timeout=int(BROKER_SECONDS), transport_options=options)
    return current_app.amqp.Producer(connection, auto_declare=False)


def _send(producer: Any, name: str) -> None:
    from celery import current_app

    current_app.send_task(name, producer=producer, retry=False, ignore_result=True, expires=30)


_ringer = _Ringer()


def _after_fork() -> None:
    global _ringer
    _ringer = _Ringer()
    _hosts.clear()


os.register_at_fork(after_in_child=_after_fork)

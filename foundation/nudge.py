"""Wakes threads that look for work once a second, so that they look at once. A nudge that is lost costs that second.

Threads of this process are woken directly (`serve_here`). Other processes get a message of the broker, sent by a thread
of its own, so no caller ever waits for a broker.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from celery import current_app
from django.db import transaction

from foundation.guarded import guarded

log = logging.getLogger(__name__)

DELIVER = "notifications.deliver"
NAMES = (
    DELIVER, "approvals.callbacks", "approvals.presses", "approvals.reconcile", "orchestration.relay",
    "orchestration.work",
)  # fmt: skip
"""Celery tasks whose work a worker does in threads of its own."""
QUIET_SECONDS = 0.05
"""A burst of nudges is one message at its beginning, and one every so often while it lasts."""

BROKER_SECONDS = 1.0
"""Limit of each step of the exchange with the broker. Nudges meanwhile are one message when it is back."""

BACKENDS = ("kombu", "redis", "valkey", "amqp")

_hosts: dict[str, Callable[[], None]] = {}


def serve_here(name: str, wake: Callable[[], None]) -> None:
    """This process does that work in threads of its own; `wake` makes them look, and never waits or fails."""
    _hosts[name] = wake


def stop_serving(name: str) -> None:
    """The threads for that work have ended: a nudge goes to other processes by the broker again."""
    _hosts.pop(name, None)


def wake(name: str) -> bool:
    """Make this process's own threads look; False when it has none for that."""
    found = _hosts.get(name)
    if found is None:
        return False
    found()
    return True


def nudge_workers(name: str) -> None:
    """Make the workers that do the work of this Celery task look at once, here or elsewhere.

    Never fails, never waits.
    """
    if not wake(name):
        _nudger.nudge(name)


def nudge_elsewhere(name: str) -> None:
    """The same for other processes only."""
    _nudger.nudge(name)


def nudge_on_commit() -> None:
    """Nudge the senders of notices after the commit.

    `robust`: an error of the broker never reaches the writer of the rows.
    """
    transaction.on_commit(_nudge_deliver, robust=True)


def flush(seconds: float = 0.2) -> None:
    """Wait up to so many seconds until waiting nudges are sent, before a process ends."""
    _nudger.flush(seconds)


def _nudge_deliver() -> None:
    nudge_workers(DELIVER)


class _Nudger:
    """One thread that sends; each name waits at most once."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, None] = {}
        self._sending = False
        self._thread: threading.Thread | None = None
        self._producer: Any = None
        self._failing = False

    def nudge(self, name: str) -> None:
        if str(current_app.conf.broker_url or "").startswith("memory:"):
            return  # it reaches this process only, whose threads are woken without it
        with self._changed:
            self._waiting[name] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="nudge", daemon=True)
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
        self._failing = guarded(partial(self._send_each, names), self._not_sent)

    def _send_each(self, names: list[str]) -> bool:
        for name in names:
            _send(self._connected(), name)
        return False

    def _not_sent(self, error: Exception) -> bool:
        """The thread goes on, whatever it was: nothing would start it again."""
        self._producer = None
        if not isinstance(error, OSError) and type(error).__module__.split(".")[0] not in BACKENDS:
            log.error("the thread that nudges workers failed", exc_info=error)
        elif not self._failing:
            log.info("the broker cannot be reached (%s); workers look for work by themselves each second", error)
        return True

    def _connected(self) -> Any:
        if self._producer is None:
            self._producer = _new_producer()
        return self._producer


def _new_producer() -> Any:
    limits = {"socket_timeout": BROKER_SECONDS, "socket_connect_timeout": BROKER_SECONDS}
    options = {**(current_app.conf.broker_transport_options or {}), **limits}
    connection = current_app.connection(connect_timeout=int(BROKER_SECONDS), transport_options=options)
    return current_app.amqp.Producer(connection, auto_declare=False)


def _send(producer: Any, name: str) -> None:
    current_app.send_task(name, producer=producer, retry=False, ignore_result=True, expires=30)


_nudger = _Nudger()


def _after_fork() -> None:
    global _nudger
    _nudger = _Nudger()
    _hosts.clear()


os.register_at_fork(after_in_child=_after_fork)

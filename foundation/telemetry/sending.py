"""Brings what this process has measured to a sink, each minute and when it ends, in a thread of its own."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from foundation.telemetry import metrics
from foundation.telemetry.metrics import Series, Values

log = logging.getLogger(__name__)
Sink = Callable[[Mapping[Series, Values]], object]


class MetricsSink(Protocol):
    """Who keeps what processes measure: `monitoring.metrics.store.add`, unless ZEN_METRICS_SINK names another."""

    def __call__(self, measured: Mapping[Series, Values]) -> object:
        """Keep it. What it raises means that it is brought again."""


class Sender:
    """Calls the sink every `every` seconds; what it refuses is brought again. The first count begins it."""

    def __init__(self, sink: Sink, every: float, after: Callable[[], object]) -> None:
        self.given = (sink, every, after)
        self._sink, self._every, self._after = sink, every, after
        self._stopped = threading.Event()
        self._sending = threading.Lock()
        self._thread: threading.Thread | None = None
        self._fails = False

    def begin(self) -> None:
        """Start the thread, if there is none."""
        if self._thread is None and not self._stopped.is_set():
            self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
            self._thread.start()

    def send(self) -> None:
        """Bring what there is, now. Never raises: what is not taken is kept, and that is told once."""
        with self._sending:
            measured = metrics.take()
            if not measured:
                return
            try:
                self._sink(measured)
            except Exception as error:  # noqa: BLE001 - a measurement never stops what is measured
                metrics.give_back(measured)
                if not self._fails:
                    log.warning("metrics are not stored, and brought again: %s: %s", type(error).__name__, error)
                self._fails = True
            else:
                self._fails = False

    def end(self) -> None:
        """End the thread; what there is then is another's to bring."""
        self._stopped.set()

    def stop(self) -> None:
        """Bring the rest, and end the thread."""
        self.end()
        self.send()

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            self.send()
            self._after()


_sender: Sender | None = None


def send_to(sink: Sink | None, every: float = 60.0, after: Callable[[], object] = lambda: None) -> None:
    """From now on bring what is measured to `sink` every so many seconds, and at the process's end; None: nowhere.

    The sink may raise and may wait; it is called by one thread at a time, never by one that counts. `after`: called in
    the sending thread after each time, such as to close what the sink has opened there.
    """
    global _sender
    if _sender is not None:
        _sender.end()
    _sender = None if sink is None else Sender(sink, every, after)
    metrics.on_first(_sender.begin if _sender else None)


def send_now() -> None:
    """Bring what there is, before something is read that should have it in it."""
    if _sender is not None:
        _sender.send()


def _at_exit() -> None:
    if _sender is not None:
        _sender.stop()


def _after_fork() -> None:
    """The thread is the parent's; the child has its own once it counts."""
    if _sender is not None:
        send_to(*_sender.given)


atexit.register(_at_exit)
os.register_at_fork(after_in_child=_after_fork)

"""The process that renews a worker's lease while the worker's threads cannot.

Run as `python -m orchestration.workers.lease_process`. It does not need the worker's interpreter, so a handler that
keeps the GIL does not let the lease lapse; it imports no Django. On its standard input it gets lines of JSON: a
`Lease`, then at each pass of the worker's lease thread what that did (`Watch.hears`). While that thread renews in time,
the process asks the database for nothing. It ends when its worker ends, however that happens, and renews for no worker
that is stopped (SIGSTOP).
"""

from __future__ import annotations

import json
import os
import select
import signal
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestration.workers.parent_process import end_with_parent, is_stopped, lives

try:
    import psycopg
except ImportError:  # an extra: without it there is SQLite alone
    psycopg = None  # type: ignore[assignment]

FAILURES = (sqlite3.Error, OSError, *((psycopg.Error,) if psycopg else ()))

_POSTGRES = """
UPDATE orchestration_worker SET lease_until = clock_timestamp() + %s * interval '1 second' WHERE name = %s
"""
_SQLITE = "UPDATE orchestration_worker SET lease_until = ? WHERE name = ?"


@dataclass(frozen=True, kw_only=True)
class Lease:
    """What the process has to know. `name`: the worker's, `pid`: its process, `seconds`: of a lease.

    `patience`: seconds without a sign of life of the worker's lease thread after which the lease is left to lapse.
    `connect`: the driver's arguments.
    """

    name: str
    pid: int
    seconds: float
    patience: float
    vendor: str
    connect: dict[str, Any]

    def message(self) -> dict[str, object]:
        """As the first line has it."""
        return asdict(self)


class Watch:
    """When the worker's lease thread last gave a sign of life, and when the lease was last renewed.

    Times are of one clock.
    """

    def __init__(self, lease: Lease, at: float) -> None:
        self.lease = lease
        self.alive = self.renewed = at

    def hears(self, message: dict[str, Any], at: float) -> None:
        """A line came: a sign of life. `{"renewed": true}` says that the thread has renewed the lease as well."""
        self.alive = at
        if message.get("renewed"):
            self.renewed = at

    def due(self, at: float) -> bool:
        """Whether the lease has to be renewed here.

        Half of it has passed, and the thread gave a sign of life lately.
        """
        return at - self.renewed >= self.lease.seconds / 2 and at - self.alive <= self.lease.patience


def renew(lease: Lease) -> None:
    """For a lease's time from now by the database's clock, if the row is there.

    Raises the driver's error, or TimeoutError when it takes longer than a third of a lease.
    """
    if lease.vendor == "sqlite":
        with closing(sqlite3.connect(**lease.connect, timeout=lease.seconds / 3, isolation_level=None)) as sqlite:
            until = datetime.now(UTC) + timedelta(seconds=lease.seconds)
            sqlite.execute(_SQLITE, (str(until.replace(tzinfo=None)), lease.name))  # as Django stores it
        return
    signal.signal(signal.SIGALRM, _is_late)
    signal.setitimer(signal.ITIMER_REAL, lease.seconds / 3)
    try:
        with closing(psycopg.connect(**lease.connect, autocommit=True)) as postgres:
            postgres.execute(_POSTGRES, (lease.seconds, lease.name))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _is_late(*_: object) -> None:
    raise TimeoutError("the database has not answered")


def main() -> None:
    """Read lines and renew, until the worker ends."""
    lease = Lease(**json.loads(sys.stdin.buffer.readline()))
    watch = Watch(lease, time.monotonic())
    tick = min(0.5, lease.seconds / 10)
    buffer = b""
    os.set_blocking(0, False)
    while lives(lease.pid):
        if select.select([0], [], [], tick)[0]:
            data = os.read(0, 65536)
            if not data:
                return
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                watch.hears(json.loads(line), time.monotonic())
        if watch.due(time.monotonic()) and not is_stopped(lease.pid):
            _try(watch)


def _try(watch: Watch) -> None:
    try:
        renew(watch.lease)
    except FAILURES as error:
        print(f"the lease of {watch.lease.name} could not be renewed: {error}", file=sys.stderr, flush=True)
        time.sleep(min(0.5, watch.lease.seconds / 10))
    else:
        watch.renewed = time.monotonic()


def run() -> None:
    """The process: signals are ignored, since what the worker finishes when it is told to stop needs the lease."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # what the worker has in hand when it is told to stop needs its lease
    end_with_parent()
    main()
    os._exit(0)


if __name__ == "__main__":
    run()

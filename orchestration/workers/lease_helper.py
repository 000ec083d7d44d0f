"""The worker's side of the process that renews its lease while its own threads cannot (lease_process.py)."""

from __future__ import annotations

import logging
import os
import threading

from django.conf import settings
from django.db import connection

from foundation.db.outages import PATIENCE_SECONDS
from foundation.db.silent_waits import parameters
from orchestration.workers.helper_process import HelperProcess, line
from orchestration.workers.lease_process import Lease

log = logging.getLogger(__name__)

MODULE = "orchestration.workers.lease_process"


class LeaseHelper:
    """Told of each pass of the lease's thread. While the process cannot be started, that thread renews alone."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._process = HelperProcess(MODULE)
        self._lock = threading.Lock()
        self._ended = False

    def alive(self) -> None:
        """A sign of life of the lease's thread; starts the process, and again if it died."""
        with self._lock:
            if self._ended:
                return
            if self._process.process is not None and not self._process.runs:
                log.warning("the lease process is gone; starting it anew")
            try:
                if not self._process.runs:
                    self._process.start([line(_lease(self.name).message())])
                self._process.say(line({}))
            except OSError:
                log.warning("the lease process could not be told; trying again", exc_info=True)
                self._process.stop()

    def renewed(self) -> None:
        """The worker has renewed its lease itself."""
        with self._lock:
            if self._process.runs:
                try:
                    self._process.say(line({"renewed": True}))
                except OSError:
                    self._process.stop()

    def stop(self) -> None:
        """End the process for good."""
        with self._lock:
            self._ended = True
            self._process.stop()


def _lease(name: str) -> Lease:
    return Lease(
        name=name,
        pid=os.getpid(),
        seconds=settings.ZEN_WORKER_LEASE_SECONDS,
        patience=PATIENCE_SECONDS,
        vendor=connection.vendor,
        connect=_connect(),
    )


def _connect() -> dict[str, object]:
    if connection.vendor == "sqlite":
        return {"database": str(connection.settings_dict["NAME"])}
    return parameters()

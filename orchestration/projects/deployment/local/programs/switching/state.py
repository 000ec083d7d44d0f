"""What the switch knows: the table of now, what was counted, what is open."""

from __future__ import annotations

import asyncio
import collections
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .counts import Counts
from .table import Table


class State:
    """The table, read from FOLDER/switch.json, and everything that changes while requests run."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.started = folder, time.time()
        self.table = self._read()
        self.counts: collections.defaultdict[str, Counts] = collections.defaultdict(Counts)
        self.connections = 0
        self.open_by_port: collections.Counter[int] = collections.Counter()
        self.ending = asyncio.Event()

    def _read(self) -> Table:
        return Table(json.loads((self.folder / "switch.json").read_text()))

    @contextmanager
    def opened(self, port: int) -> Iterator[None]:
        """A request that a backend has, from before it is asked for a connection: no drain may overlook it."""
        self.open_by_port[port] += 1
        try:
            yield
        finally:
            self.open_by_port[port] -= 1

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What a question at the control socket is answered."""
        if asked["do"] == "reload":
            table = self._read()
            if table.port != self.table.port:
                return {"error": "another port needs another switch"}
            self.table = table
        return {
            "generation": self.table.generation,
            "pid": os.getpid(),
            "port": self.table.port,
            "since": self.started,
            "connections": self.connections,
            "open": {str(port): number for port, number in self.open_by_port.items() if number},
            "releases": {release: counts.told() for release, counts in self.counts.items()},
        }

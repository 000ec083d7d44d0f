"""Where the time goes: the innermost known package of every worker thread, looked at every few milliseconds."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from types import FrameType

PARTS = {
    "/orchestration/actions/": "thread per handler call and action",
    "/psycopg": "psycopg",
    "/django/db/backends/": "database driver and commits",
    "/django/": "Django",
    "/sqlalchemy/": "SQLAlchemy",
    "/dbos/": "DBOS",
    "/pydantic": "codec",
    "/orchestration/core/": "decide",
    "/orchestration/": "engine",
    "/temporalio/": "Temporal SDK",
}


class Sampler(threading.Thread):
    def __init__(self, prefixes: tuple[str, ...]) -> None:
        super().__init__(daemon=True)
        self.prefixes, self.counts, self.done = prefixes, Counter[str](), threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.005):
            names = {thread.ident: thread.name for thread in threading.enumerate()}
            for ident, frame in sys._current_frames().items():  # noqa: SLF001 - there is no other door
                if names.get(ident, "").startswith(self.prefixes):
                    self.counts[part_of(frame)] += 1

    def shares(self) -> dict[str, float]:
        self.done.set()
        total = sum(self.counts.values()) or 1
        return {name: round(count / total, 3) for name, count in self.counts.most_common(6)}


def part_of(frame: FrameType | None) -> str:
    while frame is not None:
        for mark, name in PARTS.items():
            if mark in frame.f_code.co_filename:
                return name
        frame = frame.f_back
    return "idle"

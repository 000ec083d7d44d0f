"""What one release was asked and answered."""

from __future__ import annotations

import collections
import time
from typing import Any

KEPT_FAILURES = 20


class Counts:
    """What one release was asked and answered."""

    def __init__(self) -> None:
        self.open = self.requests = self.good = self.bad = self.unanswered = 0
        self.statuses: collections.Counter[str] = collections.Counter()
        self.failures: collections.deque[dict[str, Any]] = collections.deque(maxlen=KEPT_FAILURES)

    def note(self, method: str, path: str, status: int, error: str) -> None:
        self.statuses[str(status or "none")] += 1
        if not error and status < 500:
            self.good += 1
            return
        self.bad += 1
        self.unanswered += not status
        told = {"method": method, "path": path.partition("?")[0][:200], "status": status, "error": error}
        self.failures.append({"time": time.time(), **told})

    def told(self) -> dict[str, Any]:
        names = ("open", "requests", "good", "bad", "unanswered")
        numbers = {name: getattr(self, name) for name in names}
        return {**numbers, "statuses": dict(self.statuses), "failures": list(self.failures)}

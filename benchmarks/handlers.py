"""The actions of the benchmarks: one that is trivial, and some that fail."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from orchestration.actions.errors import Refused


class Service:
    """A service that every run calls; `calls` counts them."""

    def __init__(self) -> None:
        self.up, self.calls = True, 0
        self._lock = threading.Lock()

    def call(self) -> None:
        with self._lock:
            self.calls += 1
        if not self.up:
            raise Refused("connection refused by service.bench.example")


SERVICE = Service()
_called: set[str] = set()


def trivial(payload: Mapping[str, Any], context: object) -> dict[str, int]:
    return {"n": 1}


def fails(payload: Mapping[str, Any], context: object) -> None:
    raise Refused("the item is not in stock")


def fails_once(payload: Mapping[str, Any], context: Any) -> None:
    if context.workflow_id not in _called:
        _called.add(context.workflow_id)
        raise Refused(f"connection refused by {payload['host']}")


def service(payload: Mapping[str, Any], context: object) -> None:
    SERVICE.call()

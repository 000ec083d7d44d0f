"""Task handlers that tests hold: they go on until they are let go, whatever their timeout says."""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestration.actions.errors import Refused
from orchestration.actions.task import TaskContext

log = logging.getLogger(__name__)


@dataclass
class Held:
    """`acted`: what was done, in order. `most`: how many handlers were in flight at once."""

    go: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    begun: list[str] = field(default_factory=list)
    acted: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    now: int = 0
    most: int = 0

    def begin(self, name: str) -> None:
        with self.lock:
            self.begun.append(name)
            self.now += 1
            self.most = max(self.most, self.now)

    def end(self) -> None:
        with self.lock:
            self.now -= 1


HELD = Held()


def fresh() -> Held:
    HELD.__init__()  # type: ignore[misc]
    return HELD


def slow(payload: Mapping[str, Any], context: TaskContext) -> Any:
    """Deaf: it looks at nothing and acts when it is let go."""
    HELD.begin(context.step_id)
    HELD.keys.append(context.idempotency_key)
    try:
        HELD.go.wait()
        HELD.acted.append(f"do {context.step_id}")
        return {"made": context.step_id}
    finally:
        HELD.end()


def obedient(payload: Mapping[str, Any], context: TaskContext) -> Any:
    HELD.begin(context.step_id)
    try:
        context.cancelled.wait()
        HELD.told.append(context.step_id)
        raise Refused("stopped before anything was sent")
    finally:
        HELD.end()


def quick(payload: Mapping[str, Any], context: TaskContext) -> Any:
    HELD.acted.append(f"quick {context.step_id}")


def undo(payload: Mapping[str, Any], context: TaskContext) -> Any:
    HELD.acted.append(f"undo {context.step_id} {payload.get('made', '?')}")


def talking(payload: Mapping[str, Any], context: TaskContext) -> Any:
    """Logs, here and in a thread that it gives its context."""
    log.info("makes %s", context.step_id)
    thread = threading.Thread(target=contextvars.copy_context().run, args=(log.warning, "nearly there"))
    thread.start()
    thread.join()


def refuse(payload: Mapping[str, Any], context: TaskContext) -> Any:
    raise Refused("no")


def raising(payload: Mapping[str, Any], context: TaskContext) -> Any:
    HELD.acted.append(f"raise {context.step_id}")
    raise ValueError("broken")


NAMES = ("raising", "slow", "obedient", "quick", "undo", "refuse", "talking")
TASKS = {name: f"{__name__}.{name}" for name in NAMES}

"""What every engine can do. `ENGINES` (engines/registry.py) is the one table of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from orchestration.models import Message, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whether an engine's servers answer; `why` says what was tried, `remedy` what to do."""

    ok: bool
    why: str = ""
    remedy: str = ""


class Engine(Protocol):
    name: str
    begins_at_once: bool
    """Whether `begin` is called in the transaction that stores the run; else `take` after it."""

    def reach(self) -> Reach:
        """Ask cheaply whether new runs can be started now."""

    def begin(self, run: Run) -> None:
        """Begin a run that is being stored, in the same transaction. Only where `begins_at_once`."""

    def take(self, run: Run) -> None:
        """Begin a stored run. Called after commit; may be called again. Raises Unreachable when it must wait."""

    def deliver(self, message: Message) -> str:
        """Hand a stored message to its run, exactly once in effect; returns the run's refusal or ''."""

    def wake(self) -> None:
        """Something may be ready: ring, and never fail."""

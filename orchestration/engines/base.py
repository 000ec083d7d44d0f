"""What every engine can do. `ENGINES` (engines/registry.py) is the one table of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from orchestration.models import Message, Run
from orchestration.sql import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whether an engine's servers answer; `why` says what was tried, `remedy` what to do."""

    ok: bool
    why: str = ""
    remedy: str = ""


class Beginning(Protocol):
    def statements(self) -> list[Statement]:
        """What is written with the run's row, once that has its id."""


class Engine(Protocol):
    name: str

    def reach(self) -> Reach:
        """Ask cheaply whether new runs can be started now."""

    def begin(self, run: Run) -> Beginning | None:
        """Begin a run whose row is about to be written, in the same transaction; None where `take` begins it later."""

    def take(self, run: Run) -> None:
        """Begin a stored run. Called after commit; may be called again. Raises Unreachable when it must wait."""

    def deliver(self, message: Message) -> str:
        """Hand a stored message to its run, exactly once in effect; returns the run's refusal or ''."""

    def wake(self) -> None:
        """Something may be ready: ring, and never fail."""

"""What every engine can do. `ENGINES` (engines/registry.py) is the one table of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from orchestration.models import Message, Run
from orchestration.sql import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whether an engine's servers answer; `why` says what was tried, `remedy` what to do."""

    ok: bool
    why: str = ""
    remedy: str = ""


TROUBLE = "engine trouble: "
"""How what `Report.trouble` says begins where people read it, and on the run (`Run.error`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an engine's own server says of a run. `trouble`: why the run cannot go on though its flow could; '' if none.

    `retries`: (step, purpose, iteration, attempt) → in words, when our machinery performs that attempt once more.
    """

    trouble: str = ""
    retries: Mapping[tuple[str, str, int, int], str] = field(default_factory=dict)


class Beginning(Protocol):
    def statements(self) -> list[Statement]:
        """What is written with the run's row, once that has its id."""


class Engine(Protocol):
    """`is_told`: it keeps the alarms of flows with a state of their own itself, and is told (`tend`) when they change;
    else it finds them in the rows that `alarm` writes.
    """

    name: str
    is_told: bool

    def reach(self) -> Reach:
        """Ask cheaply whether new runs can be started now."""

    def begin(self, run: Run) -> Beginning | None:
        """Begin a run whose row is about to be written, in the same transaction; None where `take` begins it later."""

    def take(self, run: Run) -> None:
        """Begin a stored run. Called after commit; may be called again. Raises Unreachable when it must wait."""

    def deliver(self, message: Message) -> str:
        """Hand a stored message to its run, exactly once in effect; returns the run's refusal or ''."""

    def alarm(self, run: Run, due: datetime, number: int) -> list[Statement]:
        """What is written, with a decision of a flow that keeps its own state, to have it rung at `due` (ADR 6).

        `number` rises with each change of the run. An engine that has to be told after the commit writes nothing.
        """

    def tend(self, run: Run) -> None:
        """Such a run wants to be woken at another time, or has ended. May be called again. Raises Unreachable."""

    def report(self, run: Run) -> Report:
        """For people who ask why a run waits; nothing is decided by it. Never fails, and takes 3 s at most."""

    def wake(self) -> None:
        """Something may be ready: ring, and never fail."""

"""The contract of an engine. `ENGINES` (engines/registry.py) is the one table of them; the words are in the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from foundation.db.statements import Statement
from orchestration.models import Message, Run


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
    """What an engine's server says of a run. `trouble`: why the run cannot go on though its flow could; '' if nothing.

    `retries`: (step, purpose, iteration, attempt) → in words, when an attempt is performed again because of a fault of
    our machinery.
    """

    trouble: str = ""
    retries: Mapping[tuple[str, str, int, int], str] = field(default_factory=dict)


class Beginning(Protocol):
    """A run's first decision, made before its row is written."""

    def statements(self) -> list[Statement]:
        """What is written with the run's row, once that has its id."""


class Engine(Protocol):
    """Where runs are kept. The promises are those of `orchestration.engines`.

    `is_told`: the engine keeps the alarms of external flows itself, and is told (`tend`) when they change; otherwise it
    finds them in the rows that `alarm` writes.
    """

    name: str
    is_told: bool

    def reach(self) -> Reach:
        """Ask cheaply whether new runs can be started now."""

    def begin(self, run: Run) -> Beginning | None:
        """Begin a run whose row is about to be written, in the same transaction; None where `take` begins it later."""

    def take(self, run: Run) -> None:
        """Begin a stored run. Called after the commit; may be called again.

        Raises:
            Unreachable: the engine is away; the relay calls again.
        """

    def deliver(self, message: Message) -> str:
        """Hand a stored message to its run, exactly once in effect; returns the run's refusal in words, or ''.

        Raises:
            Unreachable: the engine is away; the message stays stored.
        """

    def alarm(self, run: Run, due: datetime, number: int) -> list[Statement]:
        """What is written with an external flow's decision, so that its timer fires at `due` (docs/adr/0006; aware
        UTC).

        `number` rises with each change of the run. An engine that is told after the commit writes nothing.
        """

    def tend(self, run: Run) -> None:
        """Such a run wants to be woken at another time, or has ended. May be called again.

        Raises:
            Unreachable: the engine is away.
        """

    def revive(self, run: Run) -> None:
        """Set again what the run waits for and was lost, such as a timer. Changes no state; may be called again."""

    def report(self, run: Run) -> Report:
        """For people who ask why a run waits; nothing is decided by it. Never fails, and takes 3 s at most."""

    def wake(self) -> None:
        """Something may be ready: nudge the workers. Never fails."""

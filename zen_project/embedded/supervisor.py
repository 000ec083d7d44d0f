"""Keeps programs running: one that ends by itself is started again, later each time, until that is of no use."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from zen_project.embedded.process import OwnedServer, ServerFailed

QUICK_SECONDS = 30.0
MOST_QUICK_ENDS = 6
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
Start = Callable[[], OwnedServer]
Tell = Callable[[str], None]


class GaveUp(Exception):
    """It is of no use to start this program again; the message says which and why."""


def pause_before(quick_ends: int) -> float:
    """Seconds before the next start, after so many ends in a row that came soon after their start."""
    return min(FIRST_PAUSE * 2.0 ** (quick_ends - 1), LONGEST_PAUSE)


def in_words(code: int | None) -> str:
    """An exit code as a shell has it."""
    if code is not None and code > 128:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(code - 128).name}"
    return f"exit code {code}"


def nothing() -> str:
    """Why a new start would be of no use, where nobody knows of a reason."""
    return ""


@dataclass(kw_only=True)
class SupervisedProcess:
    """A program with its restarts. `hopeless` is asked at each end: why a new start would be of no use, or ''."""

    name: str
    start: Start
    tell: Tell
    hopeless: Callable[[], str] = nothing
    program: OwnedServer | None = None
    since: float = 0.0
    due: float = 0.0
    quick_ends: int = field(default=0, init=False)

    def begin(self) -> OwnedServer:
        self.since = time.monotonic()
        self.program = self.start()
        return self.program

    def look(self) -> None:
        """Notice an end, or start again when it is time to."""
        if self.program is not None:
            if not self.program.alive:
                self._ended(self.program)
        elif time.monotonic() >= self.due:
            try:
                self.begin()
            except ServerFailed as error:
                self._again(str(error))
            else:
                self.tell(f"the {self.name} was started again")

    def _ended(self, program: OwnedServer) -> None:
        how = in_words(program.exit_code)
        program.stop()
        self.program = None
        if why := self.hopeless():
            raise GaveUp(f"the {self.name} ended ({how}): {why}")
        if time.monotonic() - self.since >= QUICK_SECONDS:
            self.quick_ends = 0
        self._again(f"the {self.name} ended by itself ({how})")

    def _again(self, what: str) -> None:
        self.quick_ends += 1
        if self.quick_ends >= MOST_QUICK_ENDS:
            often = f"{self.quick_ends} times in a row, each within {QUICK_SECONDS:g} s"
            raise GaveUp(f"{what}; that was {often}, so it is not started again: see what it wrote above, or its log")
        pause = pause_before(self.quick_ends)
        self.due = time.monotonic() + pause
        self.tell(f"{what}; it is started again in {pause:g} s")


class Supervisor:
    """Programs that run side by side. Leaving the block asks all of them to stop, and then waits for each."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.kept: list[SupervisedProcess] = []

    def keep(self, name: str, start: Start, *, hopeless: Callable[[], str] = nothing) -> OwnedServer:
        one = SupervisedProcess(name=name, start=start, tell=self.tell, hopeless=hopeless)
        program = one.begin()
        self.kept.append(one)
        return program

    def look(self) -> None:
        for one in self.kept:
            one.look()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        programs = [one.program for one in self.kept if one.program is not None]
        for program in programs:
            program.ask_to_stop()
        for program in programs:
            program.stop()

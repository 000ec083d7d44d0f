"""The driver of command lines."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from orchestration.agents.base import Ask, OnEvent, SessionSpec
from orchestration.agents.drivers.cli.adapter import LAST_SECONDS, Adapter, Reader
from orchestration.agents.drivers.failures import failure_of
from orchestration.agents.drivers.over import SessionOver
from orchestration.agents.drivers.program import LOOK_SECONDS, crash_of, environment, next_line, start
from orchestration.agents.drivers.session import Session, hold
from orchestration.agents.process.group import Line, Program
from orchestration.core.agent.events import Retrying
from orchestration.core.agent.session import Ended, EndReason, Health

MOST_STRANGE_LINES = 200
"""Lines in a row that are no event."""
CHECK_SECONDS = 30.0
LONGEST_ARGUMENT = 120_000
"""Bytes, below the system's limit of one word of a command."""


class CliDriver:
    """Sessions with one command line."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter

    def run(self, spec: SessionSpec, *, on_event: OnEvent, ask: Ask, cancelled: threading.Event) -> Ended:
        """See `base.Driver`."""
        whole = replace(spec, env={**self._adapter.env, **spec.env})
        return hold(whole, self._talk, on_event=on_event, ask=ask, cancelled=cancelled)

    def check(self, spec: SessionSpec) -> Health:
        """Asks the program for its version, and looks for its sign-in."""
        words = self._words(spec)
        asked = replace(spec, command=(words[0], *self._adapter.version), env={**self._adapter.env, **spec.env})
        try:
            program = start(asked)
        except SessionOver as over:
            return Health(installed=False, detail=f"{over.error}; install {self._adapter.name}, or name its command")
        try:
            program.close_stdin()
            line, code = program.next_line(CHECK_SECONDS), program.wait(CHECK_SECONDS)
        finally:
            program.end()
        version = line.data.decode(errors="replace").strip()[:80] if line and code == 0 else ""
        if not version:
            return Health(installed=False, detail=f"{words[0]!r} does not say its version: {program.errors()[-500:]}")
        signed_in = self._adapter.signed_in(environment(asked))
        detail = f"not signed in; {self._adapter.sign_in}" if signed_in is False else ""
        return Health(installed=True, version=version, signed_in=signed_in, detail=detail)

    def _words(self, spec: SessionSpec) -> tuple[str, ...]:
        return spec.command or (self._adapter.program,)

    def _talk(self, session: Session) -> SessionOver:
        spec = session.spec
        over = self._once(session, spec)
        lost = self._adapter.lost
        if spec.session_id and lost is not None and over.reason is EndReason.CRASHED and lost.search(over.error):
            over = self._once(session, replace(spec, session_id=""))
        return over

    def _once(self, session: Session, spec: SessionSpec) -> SessionOver:
        """One run of the program."""
        program_name, *own = self._words(spec)
        words = [program_name, *own, *self._adapter.arguments(spec, own)]
        if self._adapter.by_argument and len(spec.prompt.encode()) > LONGEST_ARGUMENT:
            text = f"the prompt is longer than {LONGEST_ARGUMENT} bytes, which {self._adapter.name} cannot take"
            return SessionOver(EndReason.CRASHED, text)
        reader = self._adapter.reader(spec)
        program = start(spec, tuple(words))
        try:
            if not self._adapter.by_argument:
                program.say(spec.prompt.encode())
            program.close_stdin()
            return self._follow(session, program, reader)
        except SessionOver as over:
            raise _explained(over, program) from over
        finally:
            _settle(session, reader)
            session.exit_code = program.end()

    def _follow(self, session: Session, program: Program, reader: Reader) -> SessionOver:
        while not reader.finished:
            line = self._next(session, program, reader)
            if line is None or line.at_end:
                break
            if line.cut:  # too long to be read, and a sign of life
                session.alive()
                continue
            text = line.data.decode(errors="replace")
            if text.strip():
                self._hear(session, reader, text)
        program.wait(LAST_SECONDS)
        session.resumable = bool(session.session_id) and self._adapter.lost is not None
        return reader.over() or crash_of(program, f"{self._adapter.name} ended before its turn had")

    def _next(self, session: Session, program: Program, reader: Reader) -> Line | None:
        """The next line; None when the agent has told how its turn ended, and no more comes."""
        if reader.silence is None:
            return next_line(session, program)
        session.alive()
        until = time.monotonic() + min(reader.silence, session.spec.stall_seconds * 0.9)
        while (left := until - time.monotonic()) > 0:
            session.look()
            line = program.next_line(min(LOOK_SECONDS, left))
            if line is not None:
                return line
        return None

    def _hear(self, session: Session, reader: Reader, text: str) -> None:
        told = list(reader.events(text))
        for event in told:
            session.tell(event)
        if reader.strange == 0 and not any(isinstance(event, Retrying) for event in told):
            session.alive()
        elif reader.strange > MOST_STRANGE_LINES:
            raise SessionOver(EndReason.CRASHED, f"{self._adapter.name} prints no events, but {text[:200]!r}")


def _explained(over: SessionOver, program: Program) -> SessionOver:
    """Some say on stderr alone that their model refuses them again and again."""
    if over.reason is EndReason.STALLED:
        said = program.errors()[-2000:]
        failure = failure_of(said)
        if failure.reason is not EndReason.CRASHED:
            return SessionOver.by(f"{over.error}; it said: {said}", failure)
    return over


def _settle(session: Session, reader: Reader) -> None:
    if reader.usage.total:
        session.settle(reader.usage, reader.cost_usd)
    elif reader.cost_usd is not None:
        session.settle(session.usage, reader.cost_usd)
    session.denied += reader.denied
    session.turns = reader.turns if reader.turns is not None else session.turns

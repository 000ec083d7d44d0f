"""The driver of agents that speak ACP."""

from __future__ import annotations

import threading
from dataclasses import replace

from orchestration.agents.base import Ask, OnEvent, SessionSpec
from orchestration.agents.drivers.acp.conversation import Conversation
from orchestration.agents.drivers.over import SessionOver
from orchestration.agents.drivers.program import start
from orchestration.agents.drivers.session import Session, hold
from orchestration.core.agent.session import Ended, EndReason, Health

CHECK_SECONDS = 30.0


class AcpDriver:
    """Sessions with a program that speaks ACP on its stdin and stdout."""

    def run(self, spec: SessionSpec, *, on_event: OnEvent, ask: Ask, cancelled: threading.Event) -> Ended:
        """See `base.Driver`."""
        return hold(spec, _talk, on_event=on_event, ask=ask, cancelled=cancelled)

    def check(self, spec: SessionSpec) -> Health:
        """Starts the program and opens a session; no prompt is sent."""
        limits = replace(spec, stall_seconds=CHECK_SECONDS, deadline_seconds=CHECK_SECONDS, session_id="")
        session = Session(limits, on_event=lambda _: None, ask=lambda _: None, cancelled=threading.Event())
        try:
            program = start(limits)
        except SessionOver as over:
            return Health(installed=False, detail=over.error)
        conversation = Conversation(session, program)
        try:
            conversation.open()
        except SessionOver as over:
            return Health(
                installed=conversation.said_hello,
                version=conversation.version,
                signed_in=False if over.reason is EndReason.AUTH else None,
                detail=session.transcript.clean(over.error),
            )
        finally:
            program.end()
        return Health(installed=True, version=conversation.version, signed_in=conversation.is_signed_in)


def _talk(session: Session) -> SessionOver:
    program = start(session.spec)
    try:
        return Conversation(session, program).hold()
    finally:
        session.exit_code = program.end()

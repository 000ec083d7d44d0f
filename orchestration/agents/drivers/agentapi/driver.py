"""The driver of agentapi."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

from orchestration.agents.base import Ask, OnEvent, SessionSpec
from orchestration.agents.drivers.agentapi.client import AgentApiClient, Refused, Unreachable
from orchestration.agents.drivers.agentapi.turn import Turn
from orchestration.agents.drivers.over import SessionOver
from orchestration.agents.drivers.program import crash_of, start
from orchestration.agents.drivers.session import Session, hold
from orchestration.agents.process.group import Program
from orchestration.core.agent.events import SessionStarted
from orchestration.core.agent.session import Ended, EndReason, Health

LOOK_SECONDS = 0.3
START_SECONDS = 60.0
PORT = "{port}"


class AgentApiDriver:
    """Sessions with an agentapi at `url`; or one that is started by `command`, in which `{port}` is a free port."""

    def run(self, spec: SessionSpec, *, on_event: OnEvent, ask: Ask, cancelled: threading.Event) -> Ended:
        """See `base.Driver`. An agent at a url keeps its conversation; one that is started is ended with the
        session."""
        return hold(spec, _talk, on_event=on_event, ask=ask, cancelled=cancelled)

    def check(self, spec: SessionSpec) -> Health:
        """Asks for its status and version. Of a command only whether it can be started."""
        limits = replace(spec, deadline_seconds=START_SECONDS, stall_seconds=START_SECONDS)
        session = Session(limits, on_event=lambda _: None, ask=lambda _: None, cancelled=threading.Event())
        try:
            with _peer(session) as client:
                _await_free(session, client, "running", "stable")
                return Health(installed=True, version=client.version() or "unknown", signed_in=None)
        except (SessionOver, Unreachable, Refused) as error:
            return Health(installed=False, detail=session.transcript.clean(str(error)))


def _talk(session: Session) -> SessionOver:
    try:
        with _peer(session) as client:
            _await_free(session, client, "stable")
            name = hashlib.sha256(f"{session.spec.url} {time.time_ns()}".encode()).hexdigest()[:32]
            agent = str(client.status().get("agent_type", ""))
            session.tell(SessionStarted(session_id=name, agent=agent, version=client.version()))
            return Turn(session, client).hold()
    except Unreachable as error:
        return SessionOver(EndReason.CRASHED, str(error))
    except Refused as error:
        return SessionOver.by(str(error))


@contextlib.contextmanager
def _peer(session: Session) -> Iterator[AgentApiClient]:
    """A client of the url, or of the program that is started."""
    spec = session.spec
    if spec.url:
        client = AgentApiClient(spec.url)
        try:
            yield client
        finally:
            client.close()
        return
    if not any(PORT in word for word in spec.command):
        example = "the command agentapi with the args server --type claude --port {port} -- claude"
        text = f"the endpoint has no url, and no command with {PORT} in its args; set one, such as {example}"
        raise SessionOver(EndReason.CRASHED, text)
    port = _free_port()
    program = start(spec, tuple(word.replace(PORT, str(port)) for word in spec.command))
    client = AgentApiClient(f"http://127.0.0.1:{port}")
    try:
        program.close_stdin()
        _await_start(session, client, program)
        yield client
    finally:
        client.close()
        session.exit_code = program.end()


def _await_start(session: Session, client: AgentApiClient, program: Program) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        session.look()
        if program.wait(0) is not None:
            raise crash_of(program, "the server ended")
        program.next_line(LOOK_SECONDS)
        with contextlib.suppress(Unreachable):
            client.status()
            return
    raise SessionOver(EndReason.CRASHED, f"the server did not answer within {START_SECONDS:g} s: {program.errors()}")


def _await_free(session: Session, client: AgentApiClient, *states: str) -> None:
    while client.status()["status"] not in states:
        session.look()
        time.sleep(LOOK_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

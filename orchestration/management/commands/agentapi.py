"""`manage.py agentapi`: one agent of this site behind HTTP, in the manner of coder/agentapi."""

from __future__ import annotations

import signal
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from django.db import connections

from foundation import clock
from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import actor, guarded, note
from foundation.errors import BadInput, NotFound
from orchestration.agents.agentapi.conversation import Conversation
from orchestration.agents.agentapi.server import AgentApiServer
from orchestration.agents.drivers.choose import driver_for
from orchestration.agents.endpoints.services import endpoint_named, note_serving
from orchestration.agents.endpoints.session import spec_of
from orchestration.models import AgentAttempt, AgentEndpoint

LONGEST_TURN_SECONDS = 24 * 3600.0


class Command(ConsoleCommand):
    help = "Serve an agent over HTTP on 127.0.0.1, as coder/agentapi does."

    @guarded
    def handle(
        self,
        endpoint: Annotated[str, typer.Option(help="the name of an endpoint")] = "",
        session: Annotated[str, typer.Option(help="the session of an attempt, which goes on")] = "",
        port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one")] = 3284,
        cwd: Annotated[Path, typer.Option(help="the folder in which the agent works")] = Path(),
    ) -> None:
        row = _endpoint(endpoint, session)
        folder = cwd.resolve()
        if not folder.is_dir():
            raise BadInput("is no folder", field="cwd", remedy="name one that is there")
        note_serving(row, actor=actor(), folder=str(folder), session=session)
        with tempfile.TemporaryDirectory(prefix="zen-agentapi-") as uploads:
            _serve(row, session, folder, port, Path(uploads))


def _endpoint(name: str, session: str) -> AgentEndpoint:
    if name:
        return endpoint_named(name)
    if not session:
        raise BadInput("is needed", field="endpoint", remedy="give --endpoint NAME, or --session ID of an attempt")
    attempt = AgentAttempt.objects.filter(session_id=session).exclude(endpoint=None).select_related("endpoint").last()
    if attempt is None or attempt.endpoint is None:
        raise NotFound(f"session {session[:80]!r} is of no attempt whose endpoint is still there; give --endpoint too")
    return attempt.endpoint


def _serve(row: AgentEndpoint, session: str, folder: Path, port: int, uploads: Path) -> None:
    spec = spec_of(row, cwd=folder, prompt="", session_id=session, deadline_seconds=LONGEST_TURN_SECONDS)
    spec = replace(spec, sandbox=replace(spec.sandbox, readable=(*spec.sandbox.readable, uploads)))
    driver = driver_for(row.driver, row.agent_type)
    conversation = Conversation(driver, spec, row.agent_type, now=clock.now, done=connections.close_all)
    try:
        server = AgentApiServer(conversation, port, uploads)
    except OSError as error:
        raise BadInput(f"cannot be used: {error.strerror}", field="port", remedy="give another, or 0") from None
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    note(f"serving {row.name} in {folder} at http://127.0.0.1:{server.server_port}")
    stopped.wait()
    note("ending the session")
    server.finish()

"""The engine that a demonstration runs on, and its server."""

from __future__ import annotations

import contextlib
from pathlib import Path

from django.conf import settings
from rich.console import Console

from zen_project.embedded import temporal
from zen_project.embedded.configure import configure
from zen_project.embedded.ports import free_port
from zen_project.embedded.process import OwnedServer, ServerFailed

ENGINES = ("auto", "temporal", "celery")


class TemporalServer:
    """A Temporal dev server on the data folder, which can be stopped and started anew on its port."""

    def __init__(self) -> None:
        self._port = free_port()
        self._server: OwnedServer | None = None
        self.start()

    @property
    def address(self) -> str:
        """host:port, the same for good."""
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Raises ServerFailed if it does not come up."""
        self._server = temporal.temporal_dev_server(Path(settings.ZEN_DATA_DIR), port=self._port)

    def stop(self) -> None:
        """End it, if it runs."""
        if self._server is not None:
            self._server.stop()
        self._server = None


def chosen_engine(
    asked: str, servers: contextlib.ExitStack, console: Console
) -> tuple[str, TemporalServer | None] | None:
    """The engine, configured, with its server, which `servers` stops; None if what was asked for is not there."""
    found = temporal.available()
    if asked != "celery" and found.path is not None:
        try:
            server = TemporalServer()
        except ServerFailed as error:
            console.print(f"the Temporal server did not come up: {error}")
        else:
            servers.callback(server.stop)
            configure(temporal_address=server.address, engine="temporal")
            console.print(f"on the temporal engine: a real Temporal dev server at {server.address}\n")
            return "temporal", server
    if asked == "temporal":
        console.print(f"there is no Temporal server here: {found.how}")
        return None
    configure(engine="celery")
    reason = "" if asked == "celery" else f" (no Temporal server here: {found.how})"
    console.print(f"on the celery engine, in the database{reason}\n")
    return "celery", None


def silence_the_client() -> None:
    """Temporal's client prints each try to reach a server, which a scene stops on purpose."""
    from temporalio.runtime import Runtime, TelemetryConfig  # noqa: PLC0415 - temporalio is an extra

    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=None)), error_if_already_set=False)

"""`manage.py demo`: three sagas on real servers, run to their end in under a minute, leaving nothing behind."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from django.conf import settings
from django.core.management import call_command
from django_typer.management import TyperCommand
from rich.console import Console

from zen_project.embedded import temporal
from zen_project.embedded.configure import configure
from zen_project.embedded.process import ServerFailed


class Command(TyperCommand):
    help = "Three sagas on real servers, in under a minute."
    requires_system_checks: list[str] = []

    def handle(
        self,
        engine: Annotated[str, typer.Option(help="auto, temporal or celery")] = "auto",
        inside: Annotated[bool, typer.Option("--inside", hidden=True)] = False,
    ) -> None:
        if engine not in ("auto", "temporal", "celery"):
            typer.echo(f"zen: engine '{engine}' does not exist; use auto, temporal or celery", err=True)
            raise typer.Exit(2)
        raise typer.Exit(_story(engine) if inside else _in_a_world_of_its_own(engine))


def _in_a_world_of_its_own(engine: str) -> int:
    """A process with a data folder that is thrown away, and none of this site's settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ZEN_", "TEMPORAL_", "DATABASE_", "CELERY_"))}
    with tempfile.TemporaryDirectory(prefix="zen-demo-", ignore_cleanup_errors=True) as folder:
        env = kept | {"ZEN_DATA_DIR": folder, "ZEN_LOG_LEVEL": "error"}
        command = [sys.executable, "manage.py", "demo", "--engine", engine, "--inside"]
        return subprocess.run(command, cwd=settings.BASE_DIR, env=env, check=False).returncode


def _story(engine: str) -> int:
    console = Console(highlight=False)
    call_command("migrate", verbosity=0)
    with contextlib.ExitStack() as servers:
        chosen = _engine(engine, servers, console)
        if chosen is None:
            return 3
        from zen_project.demo.story import tell

        fine = tell(console, chosen)
    console.print("[green]All as it should be.[/green]" if fine else "[red]Something is not as it should be.[/red]")
    return 0 if fine else 1


def _engine(asked: str, servers: contextlib.ExitStack, console: Console) -> str | None:
    found = temporal.available()
    if asked != "celery" and found.path is not None:
        try:
            server = servers.enter_context(temporal.temporal_dev_server(Path(settings.ZEN_DATA_DIR)))
        except ServerFailed as error:
            console.print(f"the Temporal server did not come up: {error}")
        else:
            configure(temporal_address=server.address, engine="temporal")
            console.print(f"on the temporal engine: a real Temporal dev server at {server.address}\n")
            return "temporal"
    if asked == "temporal":
        console.print(f"there is no Temporal server here: {found.how}")
        return None
    configure(engine="celery")
    reason = "" if asked == "celery" else f" (no Temporal server here: {found.how})"
    console.print(f"on the celery engine, in the database{reason}\n")
    return "celery"

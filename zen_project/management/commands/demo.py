"""`manage.py demo`: sagas, approvals and a project of agents, run to their end in a minute, leaving nothing behind."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from typing import Annotated

import typer
from django.conf import settings
from django.core.management import call_command
from django_typer.management import TyperCommand
from rich.console import Console

from zen_project.demo.engines import ENGINES, chosen_engine
from zen_project.demo.story import tell


class Command(TyperCommand):
    help = "Sagas, approvals and a project of agents, in about a minute."
    requires_system_checks: list[str] = []

    def handle(
        self,
        engine: Annotated[str, typer.Option(help="auto, temporal or celery")] = "auto",
        inside: Annotated[bool, typer.Option("--inside", hidden=True)] = False,
    ) -> None:
        if engine not in ENGINES:
            typer.echo(f"zen: engine '{engine}' does not exist; use auto, temporal or celery", err=True)
            raise typer.Exit(2)
        raise typer.Exit(_story(engine) if inside else _in_a_world_of_its_own(engine))


def _in_a_world_of_its_own(engine: str) -> int:
    """A process with a data folder that is thrown away, and none of this site's settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ZEN_", "TEMPORAL_", "DATABASE_", "CELERY_"))}
    with tempfile.TemporaryDirectory(prefix="zen-demo-", ignore_cleanup_errors=True) as folder:
        env = kept | {"ZEN_DATA_DIR": folder, "ZEN_LOG_LEVEL": "error"}
        command = [sys.executable, "-m", "zen_project.management", "demo", "--engine", engine, "--inside"]
        return subprocess.run(command, cwd=settings.HOME_DIR, env=env, check=False).returncode


def _story(engine: str) -> int:
    console = Console(highlight=False)
    call_command("migrate", verbosity=0)
    with contextlib.ExitStack() as servers:
        chosen = chosen_engine(engine, servers, console)
        if chosen is None:
            return 3
        fine = tell(console, chosen[0])
    console.print(
        "[green]All results are as expected.[/green]" if fine else "[red]Some results are not as expected.[/red]"
    )
    return 0 if fine else 1

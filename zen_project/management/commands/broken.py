"""`manage.py broken`: runs that are broken on purpose, and what is said and done about each."""

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

from zen_project.demo.broken.scene import World
from zen_project.demo.broken.telling import NUMBERS, tell_of_broken_runs
from zen_project.demo.engines import ENGINES, chosen_engine, silence_the_client
from zen_project.demo.services import Service


class Command(TyperCommand):
    help = "Break runs on purpose, in a world of their own, and show what is said and done about each."
    requires_system_checks: list[str] = []

    def handle(
        self,
        only: Annotated[int, typer.Option(help=f"one of: {', '.join(map(str, NUMBERS))}; 0: all")] = 0,
        engine: Annotated[str, typer.Option(help="auto, temporal or celery")] = "auto",
        inside: Annotated[bool, typer.Option("--inside", hidden=True)] = False,
    ) -> None:
        if only and only not in NUMBERS:
            typer.echo(f"zen: there is no scene {only}; the scenes are {', '.join(map(str, NUMBERS))}", err=True)
            raise typer.Exit(2)
        if engine not in ENGINES:
            typer.echo(f"zen: engine '{engine}' does not exist; use {', '.join(ENGINES)}", err=True)
            raise typer.Exit(2)
        raise typer.Exit(_inside(only, engine) if inside else _in_a_world_of_its_own(only, engine))


def _in_a_world_of_its_own(only: int, engine: str) -> int:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ZEN_", "TEMPORAL_", "DATABASE_", "CELERY_"))}
    with tempfile.TemporaryDirectory(prefix="zen-broken-", ignore_cleanup_errors=True) as folder:
        env = kept | {"ZEN_DATA_DIR": folder, "ZEN_LOG_LEVEL": "error"}
        command = [sys.executable, "-m", "zen_project.management", "broken", "--only", str(only)]
        command += ["--engine", engine, "--inside"]
        return subprocess.run(command, cwd=settings.HOME_DIR, env=env, check=False).returncode


def _inside(only: int, engine: str) -> int:
    console = Console(highlight=False)
    call_command("migrate", verbosity=0)
    with contextlib.ExitStack() as servers:
        chosen = chosen_engine(engine, servers, console)
        if chosen is None:
            return 3
        if chosen[1] is not None:
            silence_the_client()
        services = {name: Service(name) for name in ("inventory", "payments", "shipping")}
        settings.ZEN_OUTBOUND_ALLOW = tuple(service.address for service in services.values())
        world = World(services=services, engine=chosen[0], server=chosen[1])
        fine = tell_of_broken_runs(console, world, only)
    console.print("[green]Each ended as it should.[/green]" if fine else "[red]Not all ended as they should.[/red]")
    return 0 if fine else 1

"""`manage.py up`: the whole control plane in one command, on one machine, until Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django_typer.management import TyperCommand

from zen_project.embedded import temporal, valkey
from zen_project.embedded.process import ServerFailed, free_port
from zen_project.embedded.residence import Neighbour, Occupied, Residence

STOP_SECONDS = 30.0


class Command(TyperCommand):
    help = "Site, API, workers and embedded servers, until Ctrl-C."
    requires_system_checks: list[str] = []

    def handle(
        self,
        engine: Annotated[str, typer.Option(help="auto, temporal or celery")] = "auto",
        port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    ) -> None:
        if engine not in ("auto", "temporal", "celery"):
            typer.echo(f"zen: engine '{engine}' does not exist; use auto, temporal or celery", err=True)
            raise typer.Exit(2)
        with contextlib.ExitStack() as owned:
            try:
                residence = owned.enter_context(Residence(Path(settings.ZEN_DATA_DIR)))
                env = _servers(engine, owned)
            except (Occupied, ServerFailed) as error:
                typer.echo(f"zen: {error}", err=True)
                raise typer.Exit(3) from None
            call_command("migrate", verbosity=0)
            _first_user()
            site = f"http://127.0.0.1:{port}"
            residence.publish(
                Neighbour(
                    pid=os.getpid(),
                    temporal_address=env.get("TEMPORAL_ADDRESS", ""),
                    broker_url=env.get("CELERY_BROKER_URL", ""),
                    site=site,
                )
            )
            typer.echo(f"site  {site}/admin/\nAPI   {site}/api/v1/\nCtrl-C stops everything")
            raise typer.Exit(_stay(_processes(env, port)))


def _servers(engine: str, owned: contextlib.ExitStack) -> dict[str, str]:
    """Start what a wheel brings; the environment that tells the children where it is."""
    folder = Path(settings.ZEN_DATA_DIR)
    env: dict[str, str] = {}
    if settings.CELERY_BROKER_URL.startswith("memory:") and valkey.available().path is not None:
        env["CELERY_BROKER_URL"] = owned.enter_context(valkey.valkey(folder)).address
    if engine != "celery" and not settings.TEMPORAL_ADDRESS and temporal.available().path is not None:
        ui_port = free_port()
        env["TEMPORAL_ADDRESS"] = owned.enter_context(temporal.temporal_dev_server(folder, ui_port=ui_port)).address
        typer.echo(f"Temporal at {env['TEMPORAL_ADDRESS']}, its page at http://127.0.0.1:{ui_port}")
    elif engine == "temporal" and not settings.TEMPORAL_ADDRESS:
        raise ServerFailed(f"There is no Temporal server here: {temporal.available().how}")
    elif not settings.TEMPORAL_ADDRESS:
        typer.echo("no Temporal server: runs go to the celery engine")
    return env | {"ZEN_ENGINE": engine}


def _first_user() -> None:
    users = get_user_model()
    if users.objects.exists():
        return
    password = secrets.token_urlsafe(12)
    users.objects.create_superuser("admin", "admin@localhost", password)
    typer.echo(f"user  admin, password {password} (shown this once)")


def _processes(env: dict[str, str], port: int) -> dict[str, subprocess.Popen[bytes]]:
    site = ["-m", "uvicorn", "zen_project.asgi:application", "--port", str(port), "--log-level", "warning"]
    commands = {
        "site": site,
        "celery worker": ["-m", "celery", "-A", "zen_project", "worker", "-B", "-l", "warning"],
    }
    if env.get("TEMPORAL_ADDRESS") or settings.TEMPORAL_ADDRESS:
        commands["temporal worker"] = ["manage.py", "temporal_worker"]
    return {
        name: subprocess.Popen(
            [sys.executable, *arguments], cwd=settings.BASE_DIR, env=os.environ | env, start_new_session=True
        )
        for name, arguments in commands.items()
    }


def _stay(processes: dict[str, subprocess.Popen[bytes]]) -> int:
    """Until a signal, or until one of them ends by itself: then all are stopped, and the exit code is 1."""
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: asked.append(received))
    while not asked and all(process.poll() is None for process in processes.values()):
        time.sleep(0.2)
    for name, process in processes.items():
        if process.poll() is not None:
            typer.echo(f"zen: the {name} ended by itself with {process.returncode}", err=True)
        else:
            process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes.values():
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    return 0 if asked else 1

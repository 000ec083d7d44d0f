"""`manage.py up`: the whole control plane in one command, on one machine, until Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from django.conf import settings
from django.core.management import call_command
from django.urls import reverse
from django_typer.management import TyperCommand

from zen_project.demo.people import FIRST, first_people
from zen_project.embedded import temporal, valkey
from zen_project.embedded.instance_lock import InstanceLock, Occupied, RunningInstance
from zen_project.embedded.ports import free_port, same_port, taken
from zen_project.embedded.process import OwnedServer, ServerFailed
from zen_project.embedded.supervisor import GaveUp, Supervisor, nothing

STOP_SECONDS = 30.0
MOVING_SECONDS = 60.0
"""At most so long the next `up` waits for what a killed one had started: it has five, and then what the disk takes."""
LOOK_SECONDS = 0.2


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
            servers = Supervisor(_tell)
            try:
                residence = owned.enter_context(InstanceLock(Path(settings.ZEN_DATA_DIR), patience=MOVING_SECONDS))
                if why := taken(port):
                    raise ServerFailed(f"the site is not started: {why}")
                env = _servers(engine, owned.enter_context(servers), residence)
            except (Occupied, ServerFailed) as error:
                _tell(str(error))
                raise typer.Exit(3) from None
            call_command("migrate", verbosity=0)
            people = first_people()
            site = f"http://127.0.0.1:{port}"
            residence.publish(
                RunningInstance(
                    pid=os.getpid(),
                    temporal_address=env.get("TEMPORAL_ADDRESS", ""),
                    broker_url=env.get("CELERY_BROKER_URL", ""),
                    site=site,
                )
            )
            _introduce(people)
            inbox = f"{site}{reverse('admin:approvals-inbox')}"
            typer.echo(f"site  {site}/admin/\ninbox {inbox}\nAPI   {site}/api/v1/\nCtrl-C stops everything")
            workers = owned.enter_context(Supervisor(_tell))
            raise typer.Exit(_stay(servers, workers, partial(_begin, workers, env, port, residence)))


def _tell(text: str) -> None:
    typer.echo(f"zen: {text}", err=True)


def _servers(engine: str, servers: Supervisor, residence: InstanceLock) -> dict[str, str]:
    """Start what a wheel brings; the environment that tells the children where it is.

    Each comes back on its own port and files: whoever is connected goes on, to Temporal also over a new `up`.
    """
    folder, held = Path(settings.ZEN_DATA_DIR), (residence.descriptor,)
    env: dict[str, str] = {}
    if settings.CELERY_BROKER_URL.startswith("memory:") and valkey.available().path is not None:
        broker = partial(valkey.valkey, folder, port=free_port(), password=secrets.token_urlsafe(24), held=held)
        env["CELERY_BROKER_URL"] = servers.keep("Valkey server", broker).address
    if engine != "celery" and not settings.TEMPORAL_ADDRESS and temporal.available().path is not None:
        port, ui_port = same_port(folder, "temporal"), same_port(folder, "temporal page")
        start = partial(temporal.temporal_dev_server, folder, port=port, ui_port=ui_port, held=held)
        env["TEMPORAL_ADDRESS"] = servers.keep("Temporal server", start).address
        typer.echo(f"Temporal at {env['TEMPORAL_ADDRESS']}, its page at http://127.0.0.1:{ui_port}")
    elif engine == "temporal" and not settings.TEMPORAL_ADDRESS:
        raise ServerFailed(f"There is no Temporal server here: {temporal.available().how}")
    elif not settings.TEMPORAL_ADDRESS:
        typer.echo("no Temporal server: runs go to the celery engine")
    return env | {"ZEN_ENGINE": engine}


def _introduce(people: dict[str, str]) -> None:
    """The accounts of a site that had none."""
    for name, password in people.items():
        role = "administrator" if name == "admin" else FIRST[name]
        typer.echo(f"user  {name:<6} {password}  ({role})")
    if people:
        typer.echo("      the passwords are shown this once; ada asks, bob and carol decide")


def _begin(workers: Supervisor, env: dict[str, str], port: int, residence: InstanceLock) -> None:
    commands = {
        "celery worker": ["-m", "celery", "-A", "zen_project", "worker", "-B", "-l", "warning"],
        "site": [
            "-m", "uvicorn", "zen_project.asgi:application", "--port", str(port), "--log-level", "warning",
            "--no-proxy-headers",  # whose X-Forwarded-For is believed, ZEN_TRUSTED_PROXIES says
            "--timeout-graceful-shutdown", "5",  # clients that follow a stream would hold it up
        ],
    }  # fmt: skip
    if env.get("TEMPORAL_ADDRESS") or settings.TEMPORAL_ADDRESS:
        commands["temporal worker"] = ["-m", "zen_project.management", "temporal_worker"]
    for name, arguments in commands.items():
        start = partial(
            OwnedServer,
            name=name,
            argv=[sys.executable, *arguments],
            address="",
            grace=STOP_SECONDS,
            environ=os.environ | env | {"ZEN_DATA_DIR": str(settings.ZEN_DATA_DIR)},
            cwd=Path(settings.HOME_DIR),
            held=(residence.descriptor,),
        )
        workers.keep(name, start, hopeless=partial(taken, port) if name == "site" else nothing)


def _stay(servers: Supervisor, workers: Supervisor, begin: Callable[[], None]) -> int:
    """Until a signal, or until one of them cannot be kept running: then all are stopped, and the exit code is 1."""
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: asked.append(received))
    begin()
    try:
        while not asked:
            servers.look()
            workers.look()
            time.sleep(LOOK_SECONDS)
    except GaveUp as error:
        _tell(str(error))
        return 1
    return 0

"""The probes of this site, by part. See `monitoring.examine`."""

from __future__ import annotations

import os
import shutil
import smtplib
import subprocess
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from pathlib import Path

from django.conf import settings
from django.core import checks
from django.core.mail import get_connection
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from monitoring.examine import Finding, Probe, State, without_password
from orchestration.clock import now
from orchestration.core.words import RunStatus
from orchestration.engines.base import TROUBLE
from orchestration.models import Command, Message, Run
from orchestration.workers import (
    START_ONE,
    TO_START,
    engines_alive,
    failing,
    how_to_serve,
    orphaned,
    outages,
    unserved,
)

LATE = timedelta(seconds=30)
MOST_TROUBLED = 5
TROUBLE_REMEDY = "put back the release that these runs were begun with, or install one that knows their flow version"


def own_connection(probe: Probe) -> Probe:
    """Probes run in threads of their own, and what they open there they close there."""

    @wraps(probe)
    def look() -> Finding:
        try:
            return probe()
        finally:
            connections.close_all()

    return look


@own_connection
def database() -> Finding:
    entry = settings.DATABASES["default"]
    configured = str(entry["NAME"])
    if connection.vendor != "sqlite":
        configured = f"{entry['USER']}@{entry['HOST']}:{entry['PORT'] or 'default'}/{configured}"
    try:
        connection.ensure_connection()
    except Exception as error:  # noqa: BLE001 - each driver raises its own
        detail = str(error).split("\n")[0][:300]
        return Finding(state=State.DOWN, configured=configured, detail=detail, remedy="start it, or set DATABASE_URL")
    version = ".".join(map(str, connection.get_database_version()))
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    found = Finding(state=State.OK, configured=configured, version=f"{connection.vendor} {version}")
    if missing:
        return Finding(
            state=State.DOWN,
            configured=configured,
            version=found.version,
            detail=f"{missing} migrations are not applied",
            remedy="python manage.py migrate",
        )
    return found


def broker() -> Finding:
    url = settings.CELERY_BROKER_URL
    configured = without_password(url)
    if url.startswith("memory:"):
        remedy = "set CELERY_BROKER_URL=redis://host:6379/0 to have workers in other processes hear at once"
        return Finding(state=State.OK, configured=configured, detail="within one process", remedy=remedy)
    from kombu import Connection

    with Connection(url, connect_timeout=3, transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS) as to:
        try:
            to.ensure_connection(max_retries=1, timeout=3, reraise_as_library_errors=True)
        except Exception as error:  # noqa: BLE001 - kombu raises its transport's own errors
            remedy = "start it, or set CELERY_BROKER_URL; runs go on meanwhile, a sweep slower"
            return Finding(state=State.DOWN, configured=configured, detail=str(error)[:300], remedy=remedy)
        client = getattr(to.default_channel, "client", None)
        about = client.info("server") if client is not None and hasattr(client, "info") else {}
        version = about.get("valkey_version") or about.get("redis_version", "")
        return Finding(state=State.OK, configured=configured, version=f"{to.transport.driver_type} {version}".strip())


def temporal() -> Finding:
    address = settings.TEMPORAL_ADDRESS
    if not address:
        wanted = settings.ZEN_ENGINE == "temporal"
        remedy = "set TEMPORAL_ADDRESS=host:7233, or `manage.py up` brings a server"
        return Finding(state=State.DOWN if wanted else State.OFF, detail="TEMPORAL_ADDRESS is not set", remedy=remedy)
    from orchestration.engines.temporal import connection as to
    from orchestration.errors import Unreachable

    configured = f"{address}, namespace {settings.TEMPORAL_NAMESPACE}"
    try:
        version = to.call(to.server_version(), seconds=4)
    except Unreachable as error:
        return Finding(state=State.DOWN, configured=configured, detail=error.message, remedy=error.remedy)
    return Finding(state=State.OK, configured=configured, version=f"temporal {version}")


@own_connection
def workers() -> Finding:
    alive = engines_alive()
    counted = ", ".join(f"{alive.count(engine)} {engine}" for engine in sorted(set(alive))) or "none"
    wanted = {"celery"} | ({"temporal"} if settings.TEMPORAL_ADDRESS else set())
    missing = sorted(wanted - set(alive))
    alone = [(engine, queue) for engine, queue in unserved() if engine not in missing]
    broken, held = failing(), outages()
    if not missing and not alone and not broken:
        return Finding(state=State.OK, detail="; ".join([counted, *held]))
    said = [f"no worker for {' and '.join(missing)}"] if missing else []
    said += [f"no {engine} worker serves the queue '{queue}', which runs on their way need" for engine, queue in alone]
    remedies = [TO_START[engine] for engine in missing] + [how_to_serve(engine, queue) for engine, queue in alone]
    remedies += ["see the worker's log; it tries on by itself"] if broken else []
    detail = "; ".join([counted, *said, *broken, *held])
    return Finding(state=State.WARNING, detail=detail, remedy="; ".join(remedies))


@own_connection
def backlog() -> Finding:
    late = now() - LATE
    waiting = {
        "runs not handed over": Run.objects.filter(handed_over=False, created_at__lt=late).count(),
        "messages not delivered": Message.objects.filter(delivered_at=None, created_at__lt=late).count(),
        "runs that no temporal worker has begun": Run.objects.filter(
            engine="temporal", kind="saga", status=RunStatus.PENDING, handed_over=True, created_at__lt=late
        ).count(),
        "commands overdue": Command.objects.filter(status=Command.READY, due_at__lt=late).count(),
        "steps begun by a worker that is gone": orphaned(Command.objects.all()).count(),
    }
    said = ", ".join(f"{count} {what}" for what, count in waiting.items() if count)
    troubled = list(Run.objects.filter(finished_at=None, error__startswith=TROUBLE).order_by("id")[:MOST_TROUBLED])
    if troubled:
        named = "; ".join(f"run '{run.workflow_id}': {run.error}" for run in troubled)
        unmanned = all(START_ONE in run.error for run in troubled)
        remedy = "start the workers that are named there (docs/upgrading.md)" if unmanned else TROUBLE_REMEDY
        return Finding(state=State.WARNING, detail=", ".join(filter(None, [said, named])), remedy=remedy)
    if not said:
        return Finding(state=State.OK, detail="nothing waits longer than 30 s")
    return Finding(state=State.WARNING, detail=said, remedy="see that a worker runs for each engine (above)")


def mail() -> Finding:
    """Reached and let in; nothing is sent."""
    if not settings.EMAIL_HOST:
        remedy = "set EMAIL_URL=smtp://user:password@mail.company.com:587 (docs/notifications.md)"
        return Finding(state=State.OFF, detail="no mail server is set: nobody is told by e-mail", remedy=remedy)
    configured = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    to = get_connection(timeout=3)
    try:
        to.open()
    except (smtplib.SMTPException, OSError) as error:
        detail = f"{type(error).__name__}: {error}".split("\n")[0][:300]
        return Finding(state=State.DOWN, configured=configured, detail=detail, remedy="start it, or set EMAIL_URL")
    to.close()
    return Finding(state=State.OK, configured=configured)


def scripts() -> Finding:
    if settings.ZEN_SCRIPTS == "off":
        return Finding(state=State.OFF, configured="off", detail="steps of type script are refused")
    if settings.ZEN_SCRIPTS == "unsafe":
        remedy = "ZEN_SCRIPTS=sandboxed confines them"
        return Finding(
            state=State.WARNING, configured="unsafe", detail="scripts have the worker's rights", remedy=remedy
        )
    path = shutil.which("bwrap")
    if path is None:
        remedy = "install bubblewrap (Debian: apt-get install bubblewrap)"
        return Finding(state=State.DOWN, configured="sandboxed", detail="bwrap is not on PATH", remedy=remedy)
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=3)
    return Finding(state=State.OK, configured="sandboxed", version=said.stdout.strip())


def data_folder() -> Finding:
    folder = Path(settings.ZEN_DATA_DIR)
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK):
        return Finding(state=State.OK, configured=str(folder))
    remedy = "make it writable, or set ZEN_DATA_DIR"
    return Finding(state=State.DOWN, configured=str(folder), detail=f"{nearest} cannot be written to", remedy=remedy)


def settings_rules() -> Finding:
    found = [message for message in checks.run_checks() if not message.is_silenced()]
    worst = max((message.level for message in found), default=0)
    said = [message for message in found if message.level >= min(worst, checks.WARNING)]
    state = State.DOWN if worst >= checks.ERROR else State.WARNING if worst >= checks.WARNING else State.OK
    remedy = "; ".join(message.hint for message in said if message.hint)
    return Finding(state=state, detail="; ".join(message.msg for message in said), remedy=remedy)


PROBES: dict[str, Callable[[], Finding]] = {
    "settings": settings_rules,
    "data folder": data_folder,
    "database": database,
    "broker": broker,
    "temporal": temporal,
    "workers": workers,
    "backlog": backlog,
    "mail": mail,
    "scripts": scripts,
}

"""The probes of the servers that this site uses: database, broker, Temporal, mail."""

from __future__ import annotations

import smtplib

from django.conf import settings
from django.core.mail import get_connection
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu import Connection
from kombu.exceptions import KombuError

from foundation.errors import Unreachable
from monitoring.examine import Finding, State, own_connection, without_password


@own_connection
def database() -> Finding:
    """Whether the database answers, and whether migrations are missing."""
    entry = settings.DATABASES["default"]
    configured = str(entry["NAME"])
    if connection.vendor != "sqlite":
        configured = f"{entry['USER']}@{entry['HOST']}:{entry['PORT'] or 'default'}/{configured}"
    try:
        connection.ensure_connection()
    except (DatabaseError, InterfaceError) as error:
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
    """Whether the broker answers. Without one, work is found by a look each second."""
    url = settings.CELERY_BROKER_URL
    configured = without_password(url)
    if url.startswith("memory:"):
        remedy = "set CELERY_BROKER_URL=redis://host:6379/0 to have workers in other processes hear at once"
        return Finding(state=State.OK, configured=configured, detail="within one process", remedy=remedy)
    with Connection(url, connect_timeout=3, transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS) as to:
        try:
            to.ensure_connection(max_retries=1, timeout=3, reraise_as_library_errors=True)
        except (KombuError, OSError) as error:
            remedy = "start it, or set CELERY_BROKER_URL; runs go on meanwhile, a sweep slower"
            return Finding(state=State.DOWN, configured=configured, detail=str(error)[:300], remedy=remedy)
        client = getattr(to.default_channel, "client", None)
        about = client.info("server") if client is not None and hasattr(client, "info") else {}
        version = about.get("valkey_version") or about.get("redis_version", "")
        return Finding(state=State.OK, configured=configured, version=f"{to.transport.driver_type} {version}".strip())


def temporal() -> Finding:
    """Whether the Temporal server answers and has our namespace."""
    address = settings.TEMPORAL_ADDRESS
    if not address:
        wanted = settings.ZEN_ENGINE == "temporal"
        remedy = "set TEMPORAL_ADDRESS=host:7233, or `manage.py up` brings a server"
        return Finding(state=State.DOWN if wanted else State.OFF, detail="TEMPORAL_ADDRESS is not set", remedy=remedy)
    from orchestration.engines.temporal import connection as to  # noqa: PLC0415 - temporalio is an extra

    configured = f"{address}, namespace {settings.TEMPORAL_NAMESPACE}"
    try:
        version = to.call(to.server_version(), seconds=4)
    except Unreachable as error:
        return Finding(state=State.DOWN, configured=configured, detail=error.message, remedy=error.remedy)
    return Finding(state=State.OK, configured=configured, version=f"temporal {version}")


def mail() -> Finding:
    """Whether the mail server answers and takes the login; nothing is sent."""
    if not settings.EMAIL_HOST:
        remedy = "set EMAIL_URL=smtp://user:password@mail.company.com:587 (docs/reference/notifications.md)"
        return Finding(state=State.OFF, detail="no mail server is set: no e-mail is sent", remedy=remedy)
    configured = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    to = get_connection(timeout=3)
    try:
        to.open()
    except (smtplib.SMTPException, OSError) as error:
        detail = f"{type(error).__name__}: {error}".split("\n")[0][:300]
        return Finding(state=State.DOWN, configured=configured, detail=detail, remedy="start it, or set EMAIL_URL")
    to.close()
    return Finding(state=State.OK, configured=configured)

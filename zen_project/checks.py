"""Rules between settings. config/env.py has already refused what is wrong by itself."""

import shutil
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, register
from django.core.checks import Warning as Caution

from foundation.guarded import guarded
from foundation.ports import misfit, named
from foundation.telemetry import MetricsSink
from foundation.tracing import is_installed
from notifications.ports import DeliveryListener, InteractionHandler, LinkSigner
from orchestration.inquiries import InquiryService
from orchestration.ports import ApprovalGate, ExternalFlow, HealthReader

# setting that needs it → (module, extra)
DRIVERS = {"NATS_URL": ("nats", "nats"), "KAFKA_BOOTSTRAP_SERVERS": ("confluent_kafka", "kafka")}


@register("zen")
def engine(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.ZEN_ENGINE == "temporal" and not settings.TEMPORAL_ADDRESS:
        hint = "Set TEMPORAL_ADDRESS=host:7233, or ZEN_ENGINE=auto; `manage.py up` brings a server of its own."
        found.append(Error("ZEN_ENGINE is temporal, but TEMPORAL_ADDRESS is not set.", hint=hint, id="zen.E001"))
    if settings.TEMPORAL_ADDRESS and find_spec("temporalio") is None:
        hint = "pip install 'zen-orchestration[temporal]', or leave TEMPORAL_ADDRESS empty."
        found.append(Error("TEMPORAL_ADDRESS is set, but temporalio is not installed.", hint=hint, id="zen.E002"))
    if settings.TEMPORAL_DEPLOYMENT and not settings.TEMPORAL_BUILD_ID:
        hint = "Set TEMPORAL_BUILD_ID to the name of this release, such as TEMPORAL_BUILD_ID=2026-11-26."
        text = "TEMPORAL_DEPLOYMENT is set, but TEMPORAL_BUILD_ID is not."
        found.append(Error(text, hint=hint, id="zen.E010"))
    if settings.ZEN_SWEEP_SECONDS * 2 > settings.ZEN_WORKER_LEASE_SECONDS:
        hint = "Keep ZEN_SWEEP_SECONDS at half of ZEN_WORKER_LEASE_SECONDS or less; the defaults are 1 and 6."
        found.append(Caution("A dead worker's steps are noticed late.", hint=hint, id="zen.W003"))
    return found


@register("zen")
def broker(**_: Any) -> list[CheckMessage]:
    in_memory = settings.CELERY_BROKER_URL.startswith("memory:")
    on_sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    if in_memory and settings.ZEN_ENGINE == "celery" and not settings.ZEN_EMBEDDED:
        hint = "Set CELERY_BROKER_URL=redis://host:6379/0; or use `manage.py up`, which holds all workers itself."
        text = (
            "The broker is memory://, so a worker in another process hears of no new work and waits for its own sweep."
        )
        return [Caution(text, hint=hint, id="zen.W004")]
    if on_sqlite and not in_memory and not settings.ZEN_EMBEDDED:
        hint = "SQLite lets one process write at a time; for several workers set DATABASE_URL=postgres://…"
        return [Info("The database is SQLite, and the broker serves several processes.", hint=hint, id="zen.I005")]
    return []


@register("zen")
def actions(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.ZEN_SCRIPTS == "sandboxed" and shutil.which("bwrap") is None:
        hint = "Install bubblewrap (Debian: apt-get install bubblewrap), or set ZEN_SCRIPTS=off."
        found.append(Error("ZEN_SCRIPTS is sandboxed, but bwrap is not on PATH.", hint=hint, id="zen.E006"))
    if settings.ZEN_SCRIPTS == "unsafe":
        hint = "Scripts of a saga run with this process's rights. ZEN_SCRIPTS=sandboxed confines them."
        found.append(Caution("ZEN_SCRIPTS is unsafe.", hint=hint, id="zen.W007"))
    if settings.ZEN_SECRETS_DIR and not Path(settings.ZEN_SECRETS_DIR).is_dir():
        hint = "Name the folder that holds one file per secret, for example ZEN_SECRETS_DIR=/run/secrets."
        text = f"ZEN_SECRETS_DIR={settings.ZEN_SECRETS_DIR!r} is no folder."
        found.append(Error(text, hint=hint, id="zen.E008"))
    return found


@register("zen")
def traces(**_: Any) -> list[CheckMessage]:
    if not settings.ZEN_TRACING.endpoint or is_installed():
        return []
    name = "OTEL_EXPORTER_OTLP_ENDPOINT"
    text = f"{name} is set, but opentelemetry is not installed."
    return [Error(text, hint=hint("otel", name) + " Or set ZEN_TRACING=off.", id="zen.E009")]


@register("zen")
def drivers(**_: Any) -> list[CheckMessage]:
    return [
        Error(f"{name} is set, but {module} is not installed.", hint=hint(extra, name), id="zen.E009")
        for name, (module, extra) in DRIVERS.items()
        if getattr(settings, name) and find_spec(module) is None
    ]


def hint(extra: str, name: str) -> str:
    return f"pip install 'zen-orchestration[{extra}]', or leave {name} empty."


PORTS: dict[str, type] = {
    "ZEN_APPROVAL_GATE": ApprovalGate,
    "ZEN_INQUIRIES": InquiryService,
    "ZEN_RUN_HEALTH": HealthReader,
    "ZEN_METRICS_SINK": MetricsSink,
    "ZEN_LINK_SIGNER": LinkSigner,
    "ZEN_INTERACTION_HANDLER": InteractionHandler,
    "ZEN_FLOWS": ExternalFlow,
    "ZEN_DELIVERY_LISTENERS": DeliveryListener,
}
SEVERAL: dict[str, tuple[tuple[type, ...], str]] = {
    "ZEN_FLOWS": ((dict,), "Give a mapping of kinds of run to dotted paths, such as {'approval': 'package.FLOW'}."),
    "ZEN_DELIVERY_LISTENERS": ((list, tuple, set), "Give a list of dotted paths, such as ['package.listener']."),
}
"""Settings that name several objects: what each may be, and the remedy where it is something else."""

MAY_BE_EMPTY = ("ZEN_METRICS_SINK",)


@register("zen")
def ports(**_: Any) -> list[CheckMessage]:
    """What one app lends to another by a setting is there, and can be called as the other calls it."""
    found: list[CheckMessage] = []
    for setting, port in PORTS.items():
        value = getattr(settings, setting)
        several, remedy = SEVERAL.get(setting, ((), ""))
        if several and not isinstance(value, several):
            found.append(Error(f"{setting} is {value!r}, which names nothing.", hint=remedy, id="zen.E011"))
            continue
        if setting in MAY_BE_EMPTY and value == "":
            continue
        paths = (value.values() if isinstance(value, dict) else value) if several else [value]
        for path in paths:
            if why := guarded(partial(_misfit, path, port), _in_words):
                remedy = f"Name an object as {port.__module__}.{port.__name__} describes it, by its dotted path."
                found.append(Error(f"{setting} names {path!r}: {why}.", hint=remedy, id="zen.E011"))
    return found


def _misfit(path: object, port: type) -> str:
    return misfit(named(path), port) if isinstance(path, str) else "that is not a dotted path"


def _in_words(error: Exception) -> str:
    """A module may raise anything while it is imported."""
    return str(error) if isinstance(error, ImportError) else f"it cannot be used ({type(error).__name__}: {error})"

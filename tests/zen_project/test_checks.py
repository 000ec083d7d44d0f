from collections.abc import Callable
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.core.checks.registry import registry
from pytest_django import Settings

from zen_project import checks
from zen_project.config.tracing import Tracing


def ids(check: Callable[[], list[CheckMessage]]) -> list[str | None]:
    found = check()
    assert all(message.hint for message in found)
    return [message.id for message in found]


def test_django_knows_them_all() -> None:
    assert {checks.engine, checks.broker, checks.actions, checks.drivers, checks.ports} <= set(registry.get_checks())


@pytest.mark.parametrize(
    ("check", "changed", "found"),
    [
        (checks.engine, {}, []),
        (checks.engine, {"ZEN_ENGINE": "temporal"}, ["zen.E001"]),
        (checks.engine, {"ZEN_ENGINE": "temporal", "TEMPORAL_ADDRESS": "localhost:7233"}, []),
        (checks.engine, {"ZEN_SWEEP_SECONDS": 5, "ZEN_WORKER_LEASE_SECONDS": 6}, ["zen.W003"]),
        (checks.broker, {}, []),
        (checks.broker, {"ZEN_ENGINE": "celery"}, ["zen.W004"]),
        (checks.broker, {"ZEN_ENGINE": "celery", "ZEN_EMBEDDED": True}, []),
        (checks.actions, {}, []),
        (checks.actions, {"ZEN_SCRIPTS": "unsafe"}, ["zen.W007"]),
        (checks.actions, {"ZEN_SECRETS_DIR": "/nowhere"}, ["zen.E008"]),
        (checks.ports, {}, []),
        (checks.ports, {"ZEN_APPROVAL_GATE": "approvals.gate.GATES"}, ["zen.E011"]),
        (checks.ports, {"ZEN_APPROVAL_GATE": "approvals.external_flow.APPROVAL"}, ["zen.E011"]),
        (checks.ports, {"ZEN_FLOWS": {"approval": "approvals.nowhere.APPROVAL"}}, ["zen.E011"]),
        (checks.ports, {"ZEN_LINK_SIGNER": "builtins.print", "ZEN_DELIVERY_LISTENERS": []}, []),
        (checks.ports, {"ZEN_INTERACTION_HANDLER": "approvals.gate.GATE"}, ["zen.E011"]),
        (checks.ports, {"ZEN_LINK_SIGNER": "zen_project.settings.DEBUG"}, ["zen.E011"]),
        (checks.ports, {"ZEN_DELIVERY_LISTENERS": ["approvals.external_flow.time_in"]}, ["zen.E011"]),
        (checks.ports, {"ZEN_METRICS_SINK": "monitoring.metrics.store.add"}, []),
        (checks.ports, {"ZEN_METRICS_SINK": ""}, []),
        (checks.ports, {"ZEN_METRICS_SINK": "monitoring.metrics.fold.fold"}, ["zen.E011"]),
        (checks.traces, {"ZEN_TRACING": Tracing(endpoint="http://c:4318", share=1, page="")}, []),
    ],
)
def test_rules_between_settings(
    settings: Settings, check: Callable[[], list[CheckMessage]], changed: dict[str, object], found: list[str]
) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)
    assert ids(check) == found


@pytest.mark.parametrize(
    ("setting", "value", "named"),
    [
        ("ZEN_APPROVAL_GATE", "tests.zen_project.raises_at_import.GATE", "RuntimeError: no wheel"),
        ("ZEN_APPROVAL_GATE", None, "not a dotted path"),
        ("ZEN_LINK_SIGNER", "", "doesn't look like a module path"),
        ("ZEN_INTERACTION_HANDLER", ["approvals.slack.INTERACTIONS"], "not a dotted path"),
        ("ZEN_FLOWS", None, "names nothing"),
        ("ZEN_FLOWS", "approvals.external_flow.APPROVAL", "names nothing"),
        ("ZEN_FLOWS", {"approval": None}, "not a dotted path"),
        ("ZEN_DELIVERY_LISTENERS", "approvals.requests.messages.delivered", "names nothing"),
        ("ZEN_DELIVERY_LISTENERS", None, "names nothing"),
        ("ZEN_DELIVERY_LISTENERS", [None], "not a dotted path"),
    ],
)
def test_a_port_that_is_no_path_or_breaks_is_named(settings: Settings, setting: str, value: Any, named: str) -> None:
    setattr(settings, setting, value)
    (found,) = checks.ports()
    (shown,) = value.values() if isinstance(value, dict) else [None] if value == [None] else [value]
    assert found.id == "zen.E011" and found.hint and found.msg.startswith(setting)
    assert repr(shown) in found.msg and named in found.msg


def test_sqlite_behind_a_shared_broker_is_mentioned(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CELERY_BROKER_URL = "redis://localhost/0"
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    assert ids(checks.broker) == ["zen.I005"]


def test_a_sandbox_needs_bubblewrap(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ZEN_SCRIPTS = "sandboxed"
    monkeypatch.setenv("PATH", "/nowhere")
    assert ids(checks.actions) == ["zen.E006"]


def test_traces_need_the_extra(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ZEN_TRACING = Tracing(endpoint="http://c:4318", share=1, page="")
    monkeypatch.setattr(checks, "is_installed", lambda: False)
    (found,) = checks.traces()
    assert found.id == "zen.E009" and found.hint is not None and "otel" in found.hint


@pytest.mark.parametrize("name", checks.DRIVERS)
def test_a_sink_needs_its_driver(settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(checks, "find_spec", lambda _: None)
    setattr(settings, name, "somewhere:4222")
    assert ids(checks.drivers) == ["zen.E009"]

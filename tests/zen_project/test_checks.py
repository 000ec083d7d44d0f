from collections.abc import Callable

import pytest
from django.core.checks import CheckMessage
from pytest_django import Settings

from zen_project import checks


def ids(check: Callable[[], list[CheckMessage]]) -> list[str | None]:
    found = check()
    assert all(message.hint for message in found)
    return [message.id for message in found]


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
    ],
)
def test_rules_between_settings(
    settings: Settings, check: Callable[[], list[CheckMessage]], changed: dict[str, object], found: list[str]
) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)
    assert ids(check) == found


def test_sqlite_behind_a_shared_broker_is_mentioned(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CELERY_BROKER_URL = "redis://localhost/0"
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    assert ids(checks.broker) == ["zen.I005"]


def test_a_sandbox_needs_bubblewrap(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ZEN_SCRIPTS = "sandboxed"
    monkeypatch.setenv("PATH", "/nowhere")
    assert ids(checks.actions) == ["zen.E006"]


@pytest.mark.parametrize("name", checks.DRIVERS)
def test_a_sink_needs_its_driver(settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(checks, "find_spec", lambda _: None)
    setattr(settings, name, "somewhere:4222")
    assert ids(checks.drivers) == ["zen.E009"]

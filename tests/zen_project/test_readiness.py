"""A process is ready while its database answers and is migrated, whatever else is away."""

from __future__ import annotations

import threading
from unittest import mock

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from pytest_django import Settings

from monitoring.examine import Finding, State
from tests.support.waiting import PATIENCE_SECONDS
from zen_project.web import readiness

pytestmark = [pytest.mark.django_db(transaction=True)]

OK = Finding(state=State.OK)


def ask(path: str = "/readyz") -> tuple[int, dict[str, object]]:
    readiness._shared.forget()
    answer = Client().get(path)
    return answer.status_code, answer.json()


def test_it_is_ready_whatever_else_is_away(settings: Settings) -> None:
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    assert ask() == (200, {"ok": True, "parts": {"database": "ok", "migrations": "ok"}})


def test_it_is_not_ready_before_all_migrations_are_applied() -> None:
    plan = MigrationExecutor(connection).loader.graph.leaf_nodes()[:1]
    with mock.patch.object(MigrationExecutor, "migration_plan", return_value=[(plan[0], False)]):
        status, body = ask()
    assert status == 503 and "manage.py" not in str(body)
    assert str(body["parts"]["migrations"]).startswith("1 are not applied")  # type: ignore[index]


def test_a_database_that_is_silent_or_fails_is_told_without_its_address() -> None:
    ask("/startupz")
    released = threading.Event()
    for wrong in (lambda: released.wait(PATIENCE_SECONDS) and OK, lambda: 1 / 0):
        with mock.patch.object(readiness, "database", wrong), mock.patch.object(readiness, "SECONDS", 0.1):
            status, body = ask()
            assert (status, body["ok"]) == (503, False)
            assert body["parts"] == {"database": "it does not answer", "migrations": "ok"}
            assert ask("/startupz")[0] == 200
    released.set()
    readiness.forget()
    with mock.patch.object(readiness, "database", side_effect=OSError):
        assert ask("/startupz")[0] == 503

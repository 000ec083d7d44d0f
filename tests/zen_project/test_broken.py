"""Runs that are broken on purpose end as `make broken` says."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings
from rich.console import Console

from foundation.outbound import circuit_breaker, transport
from zen_project.demo.broken.scene import World
from zen_project.demo.broken.telling import NUMBERS, tell_of_broken_runs
from zen_project.demo.services import Service

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.mark.parametrize("number", [1, 2, 3, 5, 6, 7, 9])
def test_a_scene_ends_as_it_should(number: int, settings: Settings) -> None:
    settings.ZEN_RECOVERY = "on"
    circuit_breaker.reset()
    services = {name: Service(name) for name in ("inventory", "payments", "shipping")}
    settings.ZEN_OUTBOUND_ALLOW = tuple(service.address for service in services.values())
    said = io.StringIO()
    try:
        world = World(services=services, engine="celery")
        assert tell_of_broken_runs(Console(file=said, width=200), world, number), said.getvalue()
    finally:
        for service in services.values():
            service.server.shutdown()
            service.server.server_close()
        transport.close()
    assert NUMBERS[number] in said.getvalue()


def test_a_scene_that_is_not_there_is_told() -> None:
    with pytest.raises(CommandError, match="code 2"):
        call_command("broken", "--only", "77")

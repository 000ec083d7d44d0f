"""Whether an endpoint could begin a session: asked of its driver, and kept on its row."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from django.utils.module_loading import import_string

from foundation.identity.actor import Actor
from foundation.identity.permissions import require
from foundation.secrets.store import MissingSecret
from orchestration.agents.base import Driver, Health
from orchestration.agents.endpoints import health
from orchestration.agents.endpoints.services import ACT, endpoint_named
from orchestration.agents.endpoints.session import spec_of
from orchestration.models import AgentEndpoint

DRIVERS: Mapping[str, str] = {
    "acp": "orchestration.agents.drivers.acp.driver.AcpDriver",
    "scripted": "orchestration.agents.drivers.scripted.ScriptedDriver",
}
"""Imported when one is used: their libraries are of the extra `agents`, which a site without agents has not."""


class NoDriver(Exception):
    """The driver cannot be used on this worker; the message has the remedy."""


def check(name: str, *, actor: Actor) -> tuple[AgentEndpoint, Health]:
    """Ask the endpoint's program, on this machine: installed, which version, signed in. One that is well and was out of
    service gets attempts again.

    Raises:
        NotFound, NotAllowed.
    """
    require(actor, ACT)
    row = endpoint_named(name)
    found = look(row)
    return health.note_check(row.pk, found, by=actor), found


def look(row: AgentEndpoint) -> Health:
    """What its driver finds; nothing is stored."""
    with tempfile.TemporaryDirectory(prefix="zen-agent-check-", ignore_cleanup_errors=True) as folder:
        try:
            spec = spec_of(row, cwd=Path(folder), prompt="")
            return driver_of(row).check(spec)
        except (MissingSecret, NoDriver) as error:
            return Health(installed=False, detail=str(error))


def driver_of(row: AgentEndpoint) -> Driver:
    """The driver that holds its sessions. Raises NoDriver."""
    path = DRIVERS.get(row.driver)
    if path is None:
        raise NoDriver(f"there is no driver '{row.driver}' in this release; the drivers are: {', '.join(DRIVERS)}")
    try:
        made: Driver = import_string(path)()
    except ImportError as error:
        raise NoDriver(
            f"the driver {row.driver} needs what is not installed here ({error}); install zen[agents]"
        ) from None
    return made

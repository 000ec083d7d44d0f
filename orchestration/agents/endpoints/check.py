"""Whether an endpoint could begin a session: asked of its driver, and kept on its row."""

from __future__ import annotations

import tempfile
from pathlib import Path

from foundation.identity.actor import Actor
from foundation.identity.permissions import require
from foundation.secrets.store import MissingSecret
from orchestration.agents.base import Driver, Health
from orchestration.agents.drivers.choose import driver_for
from orchestration.agents.endpoints import health
from orchestration.agents.endpoints.services import ACT, endpoint_named
from orchestration.agents.endpoints.session import spec_of
from orchestration.models import AgentEndpoint


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
    try:
        return driver_for(row.driver, row.agent_type)
    except (ValueError, ImportError) as error:
        raise NoDriver(str(error)) from None

"""Whether an endpoint could begin a session: asked of its driver, and kept on its row."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

from foundation.identity.actor import Actor
from foundation.identity.permissions import require
from foundation.secrets.store import REFERENCE, MissingSecret
from orchestration.agents.base import Driver, Health
from orchestration.agents.drivers.choose import driver_for
from orchestration.agents.endpoints import health
from orchestration.agents.endpoints.services import ACT, endpoint_named
from orchestration.agents.endpoints.session import spec_of
from orchestration.agents.workspace import git
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
    """What its driver finds, and whether its work could be kept here; nothing is stored."""
    found = _asked(row)
    if git.is_installed():
        return found
    return dataclasses.replace(found, installed=False, detail="; ".join(filter(None, (git.NO_GIT, found.detail))))


def _asked(row: AgentEndpoint) -> Health:
    with tempfile.TemporaryDirectory(prefix="zen-agent-check-", ignore_cleanup_errors=True) as folder:
        try:
            return driver_of(row).check(spec_of(row, cwd=Path(folder), prompt=""))
        except NoDriver as error:
            return Health(installed=False, detail=str(error))
        except MissingSecret as error:
            return _without_secrets(row, Path(folder), str(error))


def _without_secrets(row: AgentEndpoint, folder: Path, missing: str) -> Health:
    """Not usable for want of a secret, which is no fault of the endpoint's: another machine may have it. Whether its
    program is there is told all the same: `version` then, else why it is not.
    """
    row.env = {name: value for name, value in row.env.items() if not REFERENCE.search(str(value))}
    found = driver_of(row).check(spec_of(row, cwd=folder, prompt=""))
    return Health(installed=False, version=found.version, detail="; ".join(filter(None, (missing, found.detail))))


def driver_of(row: AgentEndpoint) -> Driver:
    """The driver that holds its sessions. Raises NoDriver."""
    try:
        return driver_for(row.driver, row.agent_type)
    except (ValueError, ImportError) as error:
        raise NoDriver(str(error)) from None

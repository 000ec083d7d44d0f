"""What no program that somebody else wrote may read on a worker: the site's own keys, rows and secrets, and logins."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from django.conf import settings

from orchestration.agents.base import Bounds, Sandbox
from orchestration.agents.process.state_folders import STATE

LOGINS = (
    ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", ".git-credentials", ".pgpass", ".npmrc",
    ".pypirc", ".config/gcloud", ".config/gh", ".config/git/credentials", ".cargo/credentials.toml", ".bash_history",
)  # fmt: skip
"""Where the account that runs the worker keeps what it signs in with elsewhere, below its home."""


def of_the_site() -> tuple[Path, ...]:
    """The data folder, with the keys, the database, the sockets and all other runs' work; the folder of secrets; and a
    file of the environment beside the program. What a program works with is shown again, by name."""
    named: list[str | Path] = [settings.ZEN_DATA_DIR, settings.ZEN_SECRETS_DIR, Path(settings.BASE_DIR) / ".env"]
    found = [Path(name) for name in named if name]
    return tuple(path.resolve() for path in found if path.exists())


def logins() -> tuple[Path, ...]:
    """Logins of the worker's account for other machines and services."""
    return _below_home(LOGINS)


def of_agents() -> tuple[Path, ...]:
    """Where agents keep their sign-in and their sessions."""
    return _below_home(name for names in STATE.values() for name in names)


def sandbox_of_commands(network: Literal["host", "none", "hosts"] = "host", hosts: Iterable[str] = ()) -> Sandbox:
    """For commands that whoever starts a run has written: checks. Always confined, whatever the endpoint of the agent
    is; with ZEN_SCRIPTS=unsafe only where that can be. `hosts`: with network `hosts`."""
    hidden = tuple(dict.fromkeys((*of_the_site(), *logins(), *of_agents())))
    mode: Literal["required", "if_possible"] = "if_possible" if settings.ZEN_SCRIPTS == "unsafe" else "required"
    bounds = bounds_of_the_site()
    return Sandbox(mode=mode, network=network, hosts=tuple(hosts), hidden=hidden, bounds=bounds)


def bounds_of_the_site() -> Bounds:
    """Of each agent, and of each check."""
    return Bounds(
        memory_bytes=settings.ZEN_AGENT_MEMORY_MB << 20,
        processes=settings.ZEN_AGENT_PROCESSES,
        nice=settings.ZEN_AGENT_NICE,
    )


def _below_home(names: Iterable[str]) -> tuple[Path, ...]:
    places = [Path.home() / name for name in names]
    return tuple(dict.fromkeys(place.resolve() for place in places if place.exists()))

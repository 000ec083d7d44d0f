"""What a driver gets for a session at an endpoint: the row's settings, its secrets filled in."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings

from foundation.secrets import store
from orchestration.agents.base import Sandbox, SessionSpec, Usage
from orchestration.agents.process.private import bounds_of_the_site, logins, of_the_site
from orchestration.core.agent.prices import prices
from orchestration.models import AgentEndpoint


def spec_of(row: AgentEndpoint, *, cwd: Path, prompt: str, **more: Any) -> SessionSpec:
    """The spec of a session. `more`: further fields of SessionSpec; `env` is laid over the endpoint's.

    Raises:
        MissingSecret: a secret of its environment is not set on this worker.
    """
    env = {name: str(store.resolve(value)) for name, value in row.env.items()} | more.pop("env", {})
    command = tuple(word for word in (row.command, *row.args) if word)
    stall = row.stall_seconds if row.stall_seconds is not None else float(settings.ZEN_AGENT_STALL_SECONDS)
    return SessionSpec(
        cwd=cwd,
        prompt=prompt,
        command=command,
        url=row.url,
        env=env,
        model=row.model,
        stall_seconds=more.pop("stall_seconds", None) or stall,
        sandbox=sandbox_of(row),
        cost_of=lambda usage: cost_of(row, usage),
        secrets=tuple(sorted(store.known())),
        **more,
    )


def sandbox_of(row: AgentEndpoint) -> Sandbox:
    """Its sandbox; in each the site's own keys, secrets and rows are hidden, and the worker's logins elsewhere."""
    return Sandbox(
        mode=row.sandbox,  # type: ignore[arg-type]  # one of SANDBOXES
        network=row.network,  # type: ignore[arg-type]  # one of NETWORKS
        hosts=tuple(row.hosts),
        writable=tuple(Path(path) for path in row.writable),
        hidden=(*of_the_site(), *logins()),
        bounds=bounds_of_the_site(),
    )


def cost_of(row: AgentEndpoint, usage: Usage) -> Decimal | None:
    """What tokens cost by the endpoint's prices; None where it has none."""
    asked = prices(row.prices)
    if asked is None:
        return None
    return asked.cost(input_tokens=usage.input, output_tokens=usage.output, cached_tokens=usage.cached)

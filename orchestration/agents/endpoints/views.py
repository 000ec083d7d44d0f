"""What doors show of endpoints: plain JSON values, references to secrets as they are written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from foundation.clock import database_now, iso
from orchestration.agents.endpoints import lease
from orchestration.models import AgentEndpoint


def endpoint_views(rows: Iterable[AgentEndpoint]) -> list[dict[str, Any]]:
    """The view of each row, in their order."""
    found = list(rows)
    active, at = lease.active_of([row.name for row in found]), database_now()
    return [_view(row, active[row.name], at) for row in found]


def endpoint_view(row: AgentEndpoint) -> dict[str, Any]:
    """One endpoint: as it was set, how it is, and how many sessions it has."""
    return endpoint_views([row])[0]


def _view(row: AgentEndpoint, active: int, at: datetime) -> dict[str, Any]:
    return {
        "name": row.name,
        "agent_type": row.agent_type,
        "driver": row.driver,
        "command": row.command,
        "args": row.args,
        "url": row.url,
        "env": row.env,
        "model": row.model,
        "concurrency": row.concurrency,
        "prices": row.prices,
        "sandbox": row.sandbox,
        "network": row.network,
        "hosts": row.hosts,
        "writable": row.writable,
        "stall_seconds": row.stall_seconds,
        "enabled": row.enabled,
        "active": active,
        "health": row.health,
        "health_error": row.health_error,
        "health_at": iso(row.health_at),
        "version": row.version,
        "out_since": iso(row.out_since),
        "circuit": _circuit(row, at),
        "failures": row.failures,
        "open_until": iso(row.open_until),
        "not_before": iso(row.not_before if row.not_before and row.not_before > at else None),
        "created_at": iso(row.created_at),
        "created_by": row.created_by,
    }


def _circuit(row: AgentEndpoint, at: datetime) -> str:
    """closed, open, or half_open: its next attempt will tell."""
    if row.open_until is None:
        return "closed"
    return "open" if row.open_until > at else "half_open"

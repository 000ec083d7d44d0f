"""All that may be wrong with the site, asked one after the other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial

from foundation.clock import database_now
from foundation.guarded import guarded
from monitoring.core.health import Issue
from monitoring.core.site import troubles
from monitoring.examine import State
from monitoring.probes import agents, outgoing, servers, upkeep, waiting

log = logging.getLogger("workflows")

PROBES: Mapping[str, Callable[[], Iterator[Issue]]] = {
    "no_worker": waiting.no_worker,
    "queue_behind": waiting.queue_behind,
    "relay_behind": waiting.relay_behind,
    "notices_undelivered": outgoing.notices_undelivered,
    "callbacks_dead": outgoing.callbacks_dead,
    "monitoring_behind": upkeep.monitoring_behind,
    "clock_skew": upkeep.clock_skew,
    "disk_low": upkeep.disk_low,
    "seal_missing": upkeep.seal_missing,
    "audit_unprotected": upkeep.audit_unprotected,
    "prune_behind": upkeep.prune_behind,
    "agent_out_of_service": agents.agent_out_of_service,
}
"""Those that need no server but the database; `issues` asks the broker and the engines besides."""


def issues(away: Mapping[str, tuple[datetime, str, str]], *, servers_too: bool = True) -> list[Issue]:
    """What is wrong now, the worst first.

    `away`: {engine: (since, why, what to do)} of those whose server does not answer. A probe that fails is told in the
    log, and the others go on.
    """
    found = [waiting.engine_unreachable(engine, *told) for engine, told in away.items()]
    for name, probe in PROBES.items():
        found += guarded(lambda probe=probe: list(probe()), partial(_failed, name))  # type: ignore[misc]
    if servers_too:
        found += guarded(_broker_down, partial(_failed, "broker_down"))
    return sorted(found, key=lambda issue: (-issue.severity.rank, issue.since, issue.code, issue.target))


def _broker_down() -> list[Issue]:
    told = servers.broker()
    if told.state is not State.DOWN:
        return []
    text = f"the broker does not answer ({told.configured}: {told.detail})"
    return [troubles.found("broker_down", text, database_now(), target="broker", remedy=told.remedy)]


def _failed(name: str, error: Exception) -> list[Issue]:
    log.warning("the probe %s of the site failed: %s", name, error)
    return []

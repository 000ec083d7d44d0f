"""Who has which endpoint now: the least loaded one of a type, within its concurrency, by the database's clock."""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db.models import F

from foundation.clock import database_now
from foundation.db import statements
from foundation.db.advisory_lock import lock_by_name
from orchestration.agents.claims import Superseded, require
from orchestration.agents.drivers.choose import ADAPTERS
from orchestration.agents.endpoints import health
from orchestration.core.agent.agent_type import AgentType
from orchestration.core.enums import Purpose
from orchestration.models import AgentEndpoint, AgentLease

SECONDS = 60.0
"""How long a lease holds without being renewed; whoever has it renews it each third of that."""
LOOK_AGAIN_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Who asks: an attempt of a step, under a claim."""

    run_id: int
    step_id: str
    purpose: str = Purpose.FORWARD
    iteration: int
    attempt: int
    claim: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The endpoint, and the lease by which it is renewed and given back."""

    endpoint: AgentEndpoint
    lease_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoneFree:
    """There are endpoints of the type, and none can be had now. `wait_seconds`: when to ask again."""

    why: str
    wait_seconds: float


class NoEndpoint(Exception):
    """No endpoint of the type is enabled; the message says how to add one."""


def take(
    agent_type: AgentType, attempt: Attempt, *, avoid: Collection[str] = (), seconds: float = SECONDS
) -> Taken | NoneFree:
    """Lease an endpoint of a type for an attempt. One that the attempt has from an earlier claim is given up.

    `avoid`: names of endpoints that are taken only when no other one is free.

    Raises:
        NoEndpoint: none of the type is enabled.
        Superseded: the attempt's claim is over.
    """
    with statements.writing():
        statements.run(*lock_by_name(f"agent_lease:{agent_type}"))
        at = database_now()
        require(**asdict(attempt))
        _give_up_earlier(attempt)
        rows = list(AgentEndpoint.objects.filter(agent_type=agent_type, enabled=True))
        if not rows:
            raise NoEndpoint(how_to_add(agent_type))
        AgentLease.objects.filter(endpoint__in=rows, until__lte=at).delete()
        active = dict.fromkeys((row.pk for row in rows), 0)
        for endpoint_id in AgentLease.objects.filter(endpoint__in=rows).values_list("endpoint_id", flat=True):
            active[endpoint_id] += 1
        free = [row for row in rows if not _held_back(row, active[row.pk], at)[0]]
        if not free:
            return _none_free(agent_type, rows, active, at)
        return _lease(min(free, key=lambda row: _order(row, active[row.pk], avoid)), attempt, seconds)


def renew(lease_id: int, *, seconds: float = SECONDS) -> bool:
    """Hold it for so much longer. False when it is not there any more: it had lapsed, or was taken over."""
    until = database_now() + timedelta(seconds=seconds)
    return bool(AgentLease.objects.filter(pk=lease_id).update(until=until))


def hold_on(taken: Taken, attempt: Attempt, *, seconds: float = SECONDS) -> Taken:
    """The lease anew, after it had lapsed: a database that was away for longer ends no session that is paid for.

    So its endpoint may have a session too many for a while.

    Raises:
        Superseded: the attempt's claim is over.
    """
    with statements.writing():
        statements.run(*lock_by_name(f"agent_lease:{taken.endpoint.agent_type}"))
        require(**asdict(attempt))
        _give_up_earlier(attempt)
        return _lease(taken.endpoint, attempt, seconds)


def give_back(lease_id: int) -> None:
    """Let others have the endpoint. One that has lapsed is given back already."""
    AgentLease.objects.filter(pk=lease_id).delete()


def give_back_earlier(attempt: Attempt) -> None:
    """Let others have what this attempt leased under earlier claims: their workers are lost."""
    AgentLease.objects.filter(
        run_id=attempt.run_id, step_id=attempt.step_id, purpose=attempt.purpose, iteration=attempt.iteration,
        attempt=attempt.attempt, claim__lt=attempt.claim,
    ).delete()  # fmt: skip


def has_free(agent_type: AgentType) -> bool:
    """Whether an endpoint of the type could be had now."""
    at, active = database_now(), Counter[int]()
    rows = list(AgentEndpoint.objects.filter(agent_type=agent_type, enabled=True))
    for endpoint_id in AgentLease.objects.filter(endpoint__in=rows, until__gt=at).values_list("endpoint_id", flat=True):
        active[endpoint_id] += 1
    return any(not _held_back(row, active[row.pk], at)[0] for row in rows)


def is_served(agent_type: AgentType) -> bool:
    """Whether an endpoint of the type is enabled."""
    return AgentEndpoint.objects.filter(agent_type=agent_type, enabled=True).exists()


def how_to_add(agent_type: AgentType) -> str:
    """In words: that no endpoint of a type is enabled, and what to do."""
    off = AgentEndpoint.objects.filter(agent_type=agent_type).values_list("name", flat=True).first()
    if off is not None:
        return f"no endpoint of type {agent_type} is enabled; `manage.py agent enable {off}`"
    return f"there is no endpoint of type {agent_type}; add one: {added_by(agent_type)}"


def added_by(agent_type: AgentType) -> str:
    """The command that adds an endpoint of a type, as it can be typed, and the one that needs no key."""
    first = f"manage.py agent add {agent_type.lower()}-1 --type {agent_type} --driver"
    driver = "cli" if agent_type in ADAPTERS else "acp --command PROGRAM"
    return f"`{first} {driver}`, or to try it without a key `{first} scripted`"


def _lease(endpoint: AgentEndpoint, attempt: Attempt, seconds: float) -> Taken:
    at = database_now()
    made = AgentLease.objects.create(
        endpoint=endpoint, run_id=attempt.run_id, step_id=attempt.step_id, purpose=attempt.purpose,
        iteration=attempt.iteration, attempt=attempt.attempt, claim=attempt.claim,
        holder=f"{socket.gethostname()}:{os.getpid()}"[:200], taken_at=at, until=at + timedelta(seconds=seconds),
    )  # fmt: skip
    AgentEndpoint.objects.filter(pk=endpoint.pk).update(leased_at=at)
    return Taken(endpoint=endpoint, lease_id=made.pk)


def _give_up_earlier(attempt: Attempt) -> None:
    """Under this lock a lease of the same attempt can only be one of this claim's, or of one before it."""
    mine = AgentLease.objects.filter(
        run_id=attempt.run_id, step_id=attempt.step_id, purpose=attempt.purpose, iteration=attempt.iteration,
        attempt=attempt.attempt,
    )  # fmt: skip
    if mine.filter(claim__gt=attempt.claim).exists():
        raise Superseded("another worker performs this attempt by now")
    mine.delete()


def _order(row: AgentEndpoint, active: int, avoid: Collection[str]) -> tuple[object, ...]:
    last = row.leased_at.timestamp() if row.leased_at else 0.0
    return row.name in avoid, active / row.concurrency, last, row.name


def _held_back(row: AgentEndpoint, active: int, at: datetime) -> tuple[str, datetime | None]:
    """Why an endpoint gets no attempt now, and until when, where that is known; '' when it does."""
    if row.health == AgentEndpoint.OUT_OF_SERVICE:
        return f"is out of service: {row.health_error} (mend it, then `manage.py agent check {row.name}`)", None
    if row.not_before and row.not_before > at:
        return f"has reached its provider's limit until {row.not_before.isoformat(timespec='seconds')}", row.not_before
    if row.open_until and row.open_until > at:
        return f"failed {row.failures} times in a row, the last with: {row.health_error}", row.open_until
    if row.open_until and active:
        return "is tried with one attempt after its failures", None
    if row.health == AgentEndpoint.FAILING and not health.is_stale(row, at):
        return f"is not well: {row.health_error}", None
    if active >= row.concurrency:
        return f"has its {row.concurrency} session{'s' if row.concurrency != 1 else ''}", None
    return "", None


def _none_free(agent_type: AgentType, rows: list[AgentEndpoint], active: dict[int, int], at: datetime) -> NoneFree:
    told, waits = [], []
    for row in rows:
        why, until = _held_back(row, active[row.pk], at)
        told.append(f"{row.name} {why}")
        waits.append((until - at).total_seconds() if until else LOOK_AGAIN_SECONDS)
    more = f" and {len(told) - 5} more" if len(told) > 5 else ""
    why = f"no endpoint of type {agent_type} is free: {'; '.join(told[:5])}{more}"
    return NoneFree(why=why, wait_seconds=min(max(min(waits), 1.0), LONGEST_WAIT_SECONDS))


def active_of(names: Collection[str]) -> dict[str, int]:
    """How many sessions each of these endpoints has now."""
    found = dict.fromkeys(names, 0)
    rows = AgentLease.objects.filter(endpoint__name__in=names, until__gt=database_now())
    for name in rows.values_list(F("endpoint__name"), flat=True):
        found[name] += 1
    return found

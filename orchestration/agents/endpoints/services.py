"""Add, enable, disable, serve and remove endpoints. Each is one transaction with its audit row."""

from __future__ import annotations

from foundation.clock import database_now
from foundation.db import statements
from foundation.db.advisory_lock import lock_by_name
from foundation.errors import BadInput, NotFound, WrongState
from foundation.identity.actor import Actor
from foundation.identity.permissions import require
from orchestration.agents.endpoints.given import Given, checked
from orchestration.agents.endpoints.record import record
from orchestration.core.likeness import nearest
from orchestration.models import AgentEndpoint, AgentLease

MANAGE, ACT = "agent.manage", "agent.act"
MOST = 1000
"""Endpoints of a site."""


def add(given: Given, *, actor: Actor) -> AgentEndpoint:
    """Store a new endpoint, enabled. Nothing is started: `check` or the first attempt tells how it is.

    Raises:
        BadInput: a field is wrong, or the name is taken.
        NotAllowed: the actor is no administrator: its command will run on the workers.
    """
    require(actor, MANAGE)
    row = checked(given)
    with statements.writing():
        statements.run(*lock_by_name("agent_endpoints"))
        if AgentEndpoint.objects.filter(name=row.name).exists():
            remedy = f"choose another name, or `manage.py agent remove {row.name}` first"
            raise BadInput(f"there is an endpoint '{row.name}' already", field="name", value=row.name, remedy=remedy)
        if AgentEndpoint.objects.count() >= MOST:
            raise BadInput(f"there are {MOST} endpoints already", field="name", remedy="remove those that nobody uses")
        row.created_at, row.created_by = database_now(), actor.name
        row.save(force_insert=True)
        record(
            actor=actor, action="agent.add", agent=row.name, agent_type=row.agent_type, driver=row.driver,
            command=row.command, args=row.args, url=row.url, env=row.env, concurrency=row.concurrency,
            sandbox=row.sandbox, network=row.network, hosts=row.hosts,
        )  # fmt: skip
    return row


def enable(name: str, *, actor: Actor) -> AgentEndpoint:
    """Give it attempts again. Raises NotFound, NotAllowed."""
    return _switched(name, actor, is_on=True)


def disable(name: str, *, actor: Actor) -> AgentEndpoint:
    """Give it no further attempts; those that it has go on. Raises NotFound, NotAllowed."""
    return _switched(name, actor, is_on=False)


def _switched(name: str, actor: Actor, *, is_on: bool) -> AgentEndpoint:
    require(actor, ACT)
    with statements.writing():
        row = locked(name)
        if row.enabled != is_on:
            row.enabled = is_on
            row.save(update_fields=["enabled"])
            record(actor=actor, action="agent.enable" if is_on else "agent.disable", agent=row.name)
    return row


def remove(name: str, *, actor: Actor) -> None:
    """Remove it. What its attempts came to stays, with its name.

    Raises:
        NotFound, NotAllowed.
        WrongState: an attempt has it now.
    """
    require(actor, MANAGE)
    with statements.writing():
        row = locked(name)
        busy = AgentLease.objects.filter(endpoint=row, until__gt=database_now()).select_related("run").first()
        if busy is not None:
            message = f"'{row.name}' is at work on step '{busy.step_id}' of run '{busy.run.workflow_id}'"
            remedy = f"`manage.py agent disable {row.name}` lets it finish and gives it nothing more"
            raise WrongState(message, field="name", remedy=remedy)
        record(actor=actor, action="agent.remove", agent=row.name, agent_type=row.agent_type)
        row.delete()


def note_serving(row: AgentEndpoint, *, actor: Actor, folder: str, session: str = "") -> None:
    """Keep in the audit that somebody serves the endpoint's agent over HTTP, in this folder.

    Raises:
        NotAllowed: the actor may not act on agents.
    """
    require(actor, ACT)
    with statements.writing():
        record(actor=actor, action="agent.serve", agent=row.name, folder=folder, session=session)


def endpoint_named(name: str) -> AgentEndpoint:
    """The endpoint of this name. Raises NotFound with the nearest name there is."""
    found = AgentEndpoint.objects.filter(name=name).first()
    if found is None:
        raise _unknown(name)
    return found


def locked(name: str) -> AgentEndpoint:
    """The same, locked until the transaction ends."""
    found = AgentEndpoint.objects.select_for_update().filter(name=name).first()
    if found is None:
        raise _unknown(name)
    return found


def _unknown(name: str) -> NotFound:
    known = list(AgentEndpoint.objects.values_list("name", flat=True))
    near = nearest(name, known)
    first = "`manage.py agent add NAME --type TYPE --driver DRIVER` makes one"
    remedy = f"did you mean '{near}'?" if near else f"there are: {', '.join(known[:20])}" if known else first
    return NotFound(f"there is no endpoint '{name[:100]}'", field="name", value=name[:100], remedy=remedy)

"""The audit row of an act, written in the act's own transaction, and chained to the row before it (docs/audit.md)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from django.db import connection

from orchestration import sql
from orchestration.audit_chain.canonical import Link, settled
from orchestration.clock import now
from orchestration.turns import turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, through which door (console, api, admin, python, engine), and in which roles.

    `scopes`: what a token is good for, of all that the roles allow; None is everything. `owner`: whose agent it is.
    `user_id`, `owner_id`: the accounts behind the two names, which may change; None where there is no account.
    """

    name: str
    door: str
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] | None = None
    owner: str = ""
    user_id: int | None = None
    owner_id: int | None = None


CONSOLE_ROLES = frozenset({"administrator"})
"""Whoever can run manage.py holds the database anyway."""

OPENING = frozenset({"run.start", "approval.ask"})
"""Acts that make the id of their chain in the same transaction: number 1, without asking what stands before."""

NO_RUNS = re.compile(r"notifications|logins|tokens|endpoint:\d+")
"""Chains of what belongs to no run. A run of such a name would write into one, so none is called so."""


def record(*, actor: Actor, action: str, workflow_id: str = "", note: str = "", **data: Any) -> None:
    if connection.in_atomic_block:
        sql.run(*row(actor=actor, action=action, workflow_id=workflow_id, note=note, **data))
        return
    with sql.writing():
        sql.run(*row(actor=actor, action=action, workflow_id=workflow_id, note=note, **data))


def row(*, actor: Actor, action: str, workflow_id: str = "", note: str = "", **data: Any) -> list[sql.Statement]:
    """What `record` writes, for a caller that writes more at once: one row of a chain at a time, in a transaction."""
    seq, prev_hash = (1, "") if action in OPENING else _end_of(workflow_id)
    link = Link(
        chain=workflow_id,
        seq=seq,
        at=now(),
        actor=actor.name,
        door=actor.door,
        action=action,
        note=note,
        data=settled(json.loads(sql.as_json(data))),
        prev_hash=prev_hash,
    )
    cells = (workflow_id, seq, sql.moment(link.at), link.actor, link.door, action, note, sql.as_json(link.data))
    return sql.insert(
        "orchestration_auditevent",
        "workflow_id, seq, at, actor, door, action, note, data, prev_hash, hash",
        [(*cells, prev_hash, link.hash())],
    )


_LAST = "SELECT seq, hash FROM orchestration_auditevent WHERE workflow_id = %s ORDER BY seq DESC LIMIT 1"


def _end_of(chain: str) -> tuple[int, str]:
    """The number of the chain's next row and the hash before it; nobody else gets them until the commit."""
    found = sql.rows_of(*turn(f"audit:{chain}"), sql.Statement(_LAST, [chain]))[-1]
    return (found[0][0] + 1, found[0][1]) if found else (1, "")

"""The audit row of an act, written in the act's transaction, chained to the one before (docs/reference/audit.md)."""

from __future__ import annotations

import json
import re
from typing import Any

from django.db import connection

from foundation.canonical_json import Link, in_latest_form, settled
from foundation.clock import now
from foundation.db import statements
from foundation.db.advisory_lock import lock_by_name
from foundation.identity.actor import Actor

OPENING = frozenset({"run.start", "approval.ask"})
"""Acts that make the id of their chain in the same transaction: number 1, without asking what stands before."""

NO_RUNS = re.compile(r"notifications|logins|tokens|alerts|recovery|agents|endpoint:\d+")
"""Chains of what belongs to no run. A run of such a name would write into one, so none is called so."""


def record(*, actor: Actor, action: str, workflow_id: str = "", note: str = "", **data: Any) -> None:
    """Write the audit row of an act, in the caller's transaction, or in one of its own where there is none.

    `action`: a dotted name such as `run.abort`. `workflow_id`: the chain: a run's handle, `notifications`, `tokens` …;
    '' is the chain of no run. `note`: the person's own words. `data`: JSON values, without secrets.
    """
    if connection.in_atomic_block:
        statements.run(*row(actor=actor, action=action, workflow_id=workflow_id, note=note, **data))
        return
    with statements.writing():
        statements.run(*row(actor=actor, action=action, workflow_id=workflow_id, note=note, **data))


def row(*, actor: Actor, action: str, workflow_id: str = "", note: str = "", **data: Any) -> list[statements.Statement]:
    """The statements of `record`, for a caller that sends them with its own, inside its transaction.

    The place in the chain is taken when this is called, so run them before asking for the next row of the same chain.
    """
    seq, prev_hash = (1, "") if action in OPENING else _end_of(workflow_id)
    written = Link(
        chain=workflow_id,
        seq=seq,
        at=now(),
        actor=actor.name,
        door=actor.door,
        action=action,
        note=note,
        data=settled(json.loads(statements.as_json(data))),
        prev_hash=prev_hash,
    )
    link, known = in_latest_form(written)
    cells = (
        workflow_id,
        seq,
        statements.moment(link.at),
        link.actor,
        link.door,
        action,
        note,
        statements.as_json(link.data),
    )
    return statements.insert(
        "orchestration_auditevent",
        "workflow_id, seq, at, actor, door, action, note, data, prev_hash, hash, hash_version",
        [(*cells, prev_hash, known, link.hash_version)],
    )


_LAST = "SELECT seq, hash FROM orchestration_auditevent WHERE workflow_id = %s ORDER BY seq DESC LIMIT 1"


def _end_of(chain: str) -> tuple[int, str]:
    """The number of the chain's next row and the hash before it.

    The lock keeps others from getting them until the commit.
    """
    found = statements.rows_of(*lock_by_name(f"audit:{chain}"), statements.Statement(_LAST, [chain]))[-1]
    return (found[0][0] + 1, found[0][1]) if found else (1, "")

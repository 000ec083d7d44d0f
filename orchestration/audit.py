"""The audit row of an act, written in the act's own transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestration import sql
from orchestration.clock import now


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, through which door (console, api, admin, python, engine), and in which roles."""

    name: str
    door: str
    roles: frozenset[str] = frozenset()


CONSOLE_ROLES = frozenset({"administrator"})
"""Whoever can run manage.py holds the database anyway."""


def record(*, actor: Actor, action: str, workflow_id: str = "", note: str = "", **data: Any) -> None:
    sql.run(*row(actor=actor, action=action, workflow_id=workflow_id, note=note, **data))


def row(*, actor: Actor, action: str, workflow_id: str = "", note: str = "", **data: Any) -> list[sql.Statement]:
    """What `record` writes, for a caller that writes more at once."""
    return sql.insert(
        "orchestration_auditevent",
        "at, actor, door, action, workflow_id, note, data",
        [(sql.moment(now()), actor.name, actor.door, action, workflow_id, note, sql.as_json(data))],
    )

"""Who acts. Services get it from the door that was used; it is never read from what a caller sends."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, through which door (console, api, mcp, admin, python, slack, link, engine), and in which roles.

    `scopes`: what a token may be used for, of all that the roles allow; None is everything. `owner`: whose agent it is.
    `user_id`, `owner_id`: the accounts behind the two names, which may change; None where there is no account.
    `agent`: a program that acts by itself, which may propose what only people decide.
    """

    name: str
    door: str
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] | None = None
    owner: str = ""
    user_id: int | None = None
    owner_id: int | None = None
    agent: bool = False


CONSOLE_ROLES = frozenset({"administrator"})
"""An operating-system account that can run manage.py can write the database anyway."""

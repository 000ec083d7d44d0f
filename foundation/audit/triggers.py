"""The database refuses to change or delete what the audit holds.

A migration that makes SQLite copy one of these tables (AlterField, AddField …) loses its triggers: repeat `create`
after it. `manage.py audit verify` says when one is missing.
"""

from __future__ import annotations

from typing import Any

TABLES = ("orchestration_auditevent", "orchestration_auditseal", "orchestration_sealedhead")
VERBS = ("update", "delete")
WHY = "what the audit holds is never changed or deleted"

_FUNCTION = f"""
CREATE OR REPLACE FUNCTION zen_audit_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{WHY} (%)', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$
"""


def names() -> list[str]:
    """The names of all triggers, one for each table and verb."""
    return [f"{table}_no_{verb}" for table in TABLES for verb in VERBS]


def create(vendor: str) -> list[str]:
    """The statements that put the triggers on. An attempt is an IntegrityError on both databases."""
    if vendor == "postgresql":
        return [_FUNCTION, *(_on_postgres(table, verb) for table in TABLES for verb in VERBS)]
    return [_on_sqlite(table, verb) for table in TABLES for verb in VERBS]


def drop(vendor: str) -> list[str]:
    """The statements that take the triggers off, for migrations that have to change these tables."""
    if vendor == "postgresql":
        gone = [f"DROP TRIGGER IF EXISTS {table}_no_{verb} ON {table}" for table in TABLES for verb in VERBS]
        return [*gone, "DROP FUNCTION IF EXISTS zen_audit_stands()"]
    return [f"DROP TRIGGER IF EXISTS {name}" for name in names()]


def missing(connection: Any) -> list[str]:
    """The names of the triggers that are not there or are switched off."""
    find = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(find)
        there = {name for (name,) in cursor.fetchall()}
    return [name for name in names() if name not in there]


def _on_sqlite(table: str, verb: str) -> str:
    head = f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb} BEFORE {verb.upper()} ON {table}"
    return f"{head} BEGIN SELECT RAISE(ABORT, '{WHY} ({table})'); END"


def _on_postgres(table: str, verb: str) -> str:
    head = f"CREATE OR REPLACE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table}"
    return f"{head} FOR EACH ROW EXECUTE FUNCTION zen_audit_stands()"

"""No statement of a pass reads a whole table, however few of its rows are wanted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from tests.monitoring.retention.scenes import FAILS, PARENT, ended, pruned

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
LARGE = (
    "run", "event", "command", "message", "runline", "step", "archive", "tombstone", "definition", "agentattempt",
    "agentlease",
)  # fmt: skip
WHOLE = re.compile(r"Seq Scan on (\w+)|SCAN (\w+)(?! USING (?:INDEX|COVERING INDEX|INTEGER PRIMARY KEY))")


def test_each_statement_of_a_pass_finds_its_rows_by_an_index() -> None:
    for number, steps in enumerate([[], [PARENT], [FAILS]]):
        for days in (20, 100, 401):
            ended(f"o-{number}-{days}", *steps, days=days)
    seen: dict[str, Any] = {}

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.setdefault(re.sub(r"(%s, )+%s", "%s", sql), (sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        assert pruned()["removed"]
    deleted = {name for name in LARGE if any(sql.startswith(f"DELETE FROM orchestration_{name}") for sql in seen)}
    assert deleted == set(LARGE) - {"tombstone"}
    assert whole_tables("SELECT id FROM orchestration_event WHERE kind = %s", ["x"]) == {"orchestration_event"}
    for sql, params in seen.values():
        if re.match(r"(SELECT|DELETE|UPDATE) ", sql) and "orchestration_" in sql and "django_" not in sql:
            found = whole_tables(sql, params)
            assert not found & {f"orchestration_{name}" for name in LARGE}, (sql, found)


def whole_tables(sql: str, params: Any) -> set[str]:
    """The tables that the statement's plan reads from end to end."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # it has few rows here
            cursor.execute("SET LOCAL enable_bitmapscan = on")
        words = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
        cursor.execute(words + sql, params)
        plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
        transaction.set_rollback(True)
    return {one or other for one, other in WHOLE.findall(plan)}

"""Raw SQL for the hot path, where Django's query compiler is most of the cost (docs/adr/0004)."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

_ENCODE = DjangoJSONEncoder(separators=(",", ":")).encode
_MOST_PARAMETERS = 900  # in one statement: SQLite allows 32,766, older builds 999
_one_writer = threading.Lock()


@contextmanager
def writing() -> Iterator[None]:
    """A transaction that writes. Inside another transaction it is a part of that one.

    On SQLite the threads of this process queue here, and not in SQLite's busy handler, which sleeps.
    """
    if connection.in_atomic_block or connection.features.has_select_for_update:
        with transaction.atomic():
            yield
        return
    place = _Place()
    try:
        with transaction.atomic():
            transaction.on_commit(place.leave)  # the first hook: other writers wait for no other hook
            yield
    finally:
        place.leave()


class _Place:
    """The writer's place, taken until it is left once."""

    def __init__(self) -> None:
        self._lock = _one_writer
        self._lock.acquire()
        self._taken = True

    def leave(self) -> None:
        if self._taken:
            self._taken = False
            self._lock.release()


def _after_fork() -> None:
    """A thread that is not in the child may have had the place."""
    global _one_writer
    _one_writer = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)


def moment(value: datetime | None) -> Any:
    """A datetime as this database's driver takes it."""
    return connection.ops.adapt_datetimefield_value(value)


def as_moment(value: Any) -> Any:
    """A datetime as raw SQL gives it: SQLite knows no zone, and Django keeps UTC there."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def as_json(value: object) -> str:
    """JSON text as Django's JSON columns have it: compact, datetimes and decimals as text."""
    return _ENCODE(value)


def from_json(value: Any) -> Any:
    """A JSON column as raw SQL gives it: text on every database, because Django tells psycopg not to parse."""
    return json.loads(value) if isinstance(value, str) else value


def for_update() -> str:
    """Locks rows against other writers, and not against those that only refer to them."""
    return "FOR NO KEY UPDATE" if connection.features.has_select_for_update else ""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with %s marks, and the values for them."""

    text: str
    parameters: Sequence[Any]


def insert(table: str, columns: str, rows: Iterable[Sequence[Any]], *, on_conflict: str = "") -> list[Statement]:
    """One INSERT for all rows; `on_conflict` is the clause after ON CONFLICT."""
    tail = f" ON CONFLICT {on_conflict}" if on_conflict else ""
    return [
        Statement(
            f"INSERT INTO {table} ({columns}) VALUES {_marks(part)}{tail}",  # noqa: S608 - names are our own
            [cell for row in part for cell in row],
        )
        for part in _parts(list(rows))
    ]


def update(
    table: str, columns: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[Any]], *, where: str = ""
) -> list[Statement]:
    """One UPDATE for all rows, each led by its id; it returns the ids that it changed.

    `types` are PostgreSQL's, one for each column, since it cannot guess them in a VALUES list. `where` may add a
    condition on the table `t` and the values `v`. A column that is named "=x" is compared by `where` and not set.
    """
    names = ", ".join(name.lstrip("=") for name in ("row_id", *columns))
    sets = ", ".join(f"{name} = v.{name}" for name in columns if not name.startswith("="))
    first = [f"%s::{kind}" for kind in ("bigint", *types)] if connection.vendor == "postgresql" else None
    return [
        Statement(
            f"WITH v({names}) AS (VALUES {_marks(part, first)}) UPDATE {table} AS t SET {sets} FROM v "  # noqa: S608
            f"WHERE t.id = v.row_id {where} RETURNING id",
            [cell for row in part for cell in row],
        )
        for part in _parts(list(rows))
    ]


def run(*statements: Statement) -> None:
    """Execute in order. PostgreSQL gets them in one message: our parameters are bound on this side."""
    if not statements:
        return
    together = [_joined(statements)] if connection.vendor == "postgresql" else statements
    with connection.cursor() as cursor:
        for statement in together:
            cursor.execute(statement.text, statement.parameters)


def rows_of(*statements: Statement) -> list[list[tuple[Any, ...]]]:
    """The rows that each statement gives, all in one message where the database takes it."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            return [_fetched(cursor, statement) for statement in statements]
        if not statements:
            return []
        found = [_fetched(cursor, _joined(statements))]
        while cursor.nextset():
            found.append(_rows(cursor))
        return found


def _joined(statements: Sequence[Statement]) -> Statement:
    if len(statements) == 1:
        return statements[0]
    text = ";\n".join(statement.text for statement in statements)
    return Statement(text, [cell for statement in statements for cell in statement.parameters])


def _fetched(cursor: Any, statement: Statement) -> list[tuple[Any, ...]]:
    cursor.execute(statement.text, statement.parameters)
    return _rows(cursor)


def _rows(cursor: Any) -> list[tuple[Any, ...]]:
    return list(cursor.fetchall()) if cursor.description else []


def _parts(rows: list[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    most = _MOST_PARAMETERS // len(rows[0]) if rows else 1
    for start in range(0, len(rows), most):
        yield rows[start : start + most]


def _marks(rows: list[Sequence[Any]], first: Sequence[str] | None = None) -> str:
    plain = f"({','.join(['%s'] * len(rows[0]))})"
    return ",".join([f"({','.join(first)})" if first else plain, *([plain] * (len(rows) - 1))])

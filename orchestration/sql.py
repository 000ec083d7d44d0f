"""Raw SQL for the hot path, where Django's query compiler is most of the cost (docs/adr/0004)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

_ENCODE = DjangoJSONEncoder(separators=(",", ":")).encode
_MOST_PARAMETERS = 900  # in one statement: SQLite allows 32,766, older builds 999
_one_writer = threading.Lock()


@contextmanager
def writing() -> Iterator[None]:
    """A transaction that writes. On SQLite the threads of this process queue here, and not in its busy handler, which
    sleeps. Inside another transaction it is a part of that one.
    """
    if connection.in_atomic_block or connection.features.has_select_for_update:
        with transaction.atomic():
            yield
        return
    with _one_writer, transaction.atomic():
        yield


def moment(value: datetime | None) -> Any:
    """A datetime as this database's driver takes it."""
    return connection.ops.adapt_datetimefield_value(value)


def as_moment(value: Any) -> Any:
    """A datetime as raw SQL gives it: SQLite knows no zone, and Django keeps UTC there."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def as_json(value: object) -> str:
    return _ENCODE(value)


def for_update() -> str:
    return "FOR UPDATE" if connection.features.has_select_for_update else ""


def insert(table: str, columns: str, rows: Iterable[Sequence[Any]], *, on_conflict: str = "") -> None:
    """One INSERT for all rows; `on_conflict` is the clause after ON CONFLICT."""
    tail = f" ON CONFLICT {on_conflict}" if on_conflict else ""
    for part in _parts(list(rows)):
        statement = f"INSERT INTO {table} ({columns}) VALUES {_marks(part)}{tail}"  # noqa: S608 - names are our own
        run(statement, [cell for row in part for cell in row])


def update(
    table: str, columns: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[Any]], *, where: str = ""
) -> set[int]:
    """One UPDATE for all rows, each led by its id; returns the ids that it touched.

    `types` are PostgreSQL's, one for each column, since it cannot guess them in a VALUES list. `where` may add a
    condition on the table `t` and the values `v`. A column that is named "=x" is compared by `where` and not set.
    """
    touched: set[int] = set()
    names = ", ".join(name.lstrip("=") for name in ("row_id", *columns))
    sets = ", ".join(f"{name} = v.{name}" for name in columns if not name.startswith("="))
    for part in _parts(list(rows)):
        first = [f"%s::{kind}" for kind in ("bigint", *types)] if connection.vendor == "postgresql" else None
        statement = (
            f"WITH v({names}) AS (VALUES {_marks(part, first)}) UPDATE {table} AS t SET {sets} FROM v "  # noqa: S608
            f"WHERE t.id = v.row_id {where} RETURNING id"
        )
        touched.update(row[0] for row in rows_of(statement, [cell for row in part for cell in row]))
    return touched


def run(statement: str, parameters: Sequence[Any]) -> int:
    """Execute; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def rows_of(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def _parts(rows: list[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    most = _MOST_PARAMETERS // len(rows[0]) if rows else 1
    for start in range(0, len(rows), most):
        yield rows[start : start + most]


def _marks(rows: list[Sequence[Any]], first: Sequence[str] | None = None) -> str:
    plain = f"({','.join(['%s'] * len(rows[0]))})"
    return ",".join([f"({','.join(first)})" if first else plain, *([plain] * (len(rows) - 1))])

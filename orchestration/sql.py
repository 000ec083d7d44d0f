"""Raw SQL for the hot path, where Django's query compiler is most of the cost (docs/adr/0004)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection


def moment(value: datetime | None) -> Any:
    """A datetime as this database's driver takes it."""
    return connection.ops.adapt_datetimefield_value(value)


def as_json(value: object) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, separators=(",", ":"))


def insert(table: str, columns: str, rows: Iterable[Sequence[Any]], *, on_conflict: str = "") -> None:
    """One INSERT for all rows; `on_conflict` is the clause after ON CONFLICT."""
    values = list(rows)
    if not values:
        return
    width = len(values[0])
    most = 900 // width  # parameters in one statement: SQLite allows 32,766, older builds 999
    for start in range(0, len(values), most):
        part = values[start : start + most]
        marks = ",".join([f"({','.join(['%s'] * width)})"] * len(part))
        tail = f" ON CONFLICT {on_conflict}" if on_conflict else ""
        statement = f"INSERT INTO {table} ({columns}) VALUES {marks}{tail}"  # noqa: S608 - names are our own
        run(statement, [cell for row in part for cell in row])


def run(statement: str, parameters: Sequence[Any]) -> int:
    """Execute; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def rows(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())

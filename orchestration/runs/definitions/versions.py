"""The stored versions of a saga, found."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.db.models import QuerySet

from foundation.db import statements
from foundation.errors import BadInput, NotFound
from orchestration.models import Definition


def published(saga_id: str) -> QuerySet[Definition]:
    """The published versions of a saga, the latest first."""
    return Definition.objects.filter(saga_id=saga_id, listed=True).order_by("-version")


def published_body(saga_id: str, version: int | None = None) -> Any:
    """The JSON of a published version of a saga, the latest where `version` is left out.

    Raises:
        NotFound: there is none.
    """
    found = published(saga_id)
    stored = (found if version is None else found.filter(version=version)).first()
    if stored is None:
        raise NotFound("there is no such definition", field="saga_id", remedy="publish it first")
    return stored.body


def next_version(saga_id: str) -> int:
    """The number after the highest one this saga ever had, published still or not: no number is used twice."""
    latest = Definition.objects.filter(saga_id=saga_id).order_by("-version").values_list("version", flat=True).first()
    return (latest or 0) + 1


def definition_by_name(name: str) -> Definition:
    """The latest version of a saga, for a child that names it.

    Raises:
        BadInput: none is published.
    """
    found = published(name).first()
    if found is None:
        raise BadInput(f"there is no saga '{name}'", field="definition", remedy="publish it first")
    return found


def stored_version(saga_id: str, content: str, listed: bool) -> Definition | None:
    """The row with this content, the published one before any other; `listed`: no other.

    The row is looked for; what it holds never changes, so it is read once.
    """
    statement = "SELECT id, listed FROM orchestration_definition WHERE saga_id = %s AND hash = %s"
    rows = statements.rows_of(statements.Statement(statement, [saga_id, content]))[0]
    for pk, is_listed in sorted(rows, key=lambda row: not row[1]):
        if is_listed or not listed:
            return _read(pk, content)
    return None


@lru_cache(maxsize=64)
def _read(pk: int, content: str) -> Definition:
    return Definition.objects.get(pk=pk, hash=content)

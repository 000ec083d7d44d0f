"""Pages of what there is to read: what waits for people, then runs, then definitions, each the latest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from mcp_types import Resource

from approvals.core.enums import OPEN
from approvals.queries.requests import LARGE, requests
from foundation.errors import BadInput
from orchestration.models import Definition, Run
from zen_project.mcp.resources.uris import Place, uri_of

ROWS = 50
JSON = "application/json"


def page(cursor: str) -> tuple[list[Resource], str | None]:
    """Some of them, and the cursor for what comes next; None at the end. `cursor`: '' at the beginning.

    Raises:
        BadInput: the cursor is none of an answer.
    """
    section, before = _place(cursor)
    found: list[Resource] = []
    left = ROWS
    for number in range(section, len(SECTIONS)):
        rows, shown = SECTIONS[number]
        behind = rows() if before is None else rows().filter(pk__lt=before)
        some = list(behind.order_by("-pk")[: left + 1])
        for row in some[:left]:
            found += shown(row)
        if len(some) > left:
            return found, f"{number}:{some[left].pk + 1}"
        left, before = left - len(some), None
    return found, None


def _place(cursor: str) -> tuple[int, int | None]:
    if not cursor:
        return 0, None
    section, _, before = cursor.partition(":")
    if section in ("0", "1", "2") and before.isascii() and before.isdecimal() and len(before) < 19:
        return int(section), int(before)
    raise BadInput("cursor is none of an answer", field="cursor", remedy="give the nextCursor of an answer")


def _open_requests() -> QuerySet[Any]:
    return requests(statuses=[status.value for status in OPEN]).defer(*LARGE)


def _runs() -> QuerySet[Any]:
    return Run.objects.filter(kind__in=Run.SAGAS).select_related("definition").defer("context", "config", "head")


def _definitions() -> QuerySet[Any]:
    newer = Definition.objects.filter(saga_id=OuterRef("saga_id"), listed=True, version__gt=OuterRef("version"))
    return Definition.objects.filter(~Exists(newer), listed=True).defer("body")


def _of_request(row: Any) -> Iterator[Resource]:
    yield _resource(Place("approval", row.request_id), row.title, f"{row.stage}: {row.status}")


def _of_run(row: Any) -> Iterator[Resource]:
    about = f"{row.kind.replace('_', ' ')} {row.definition.saga_id}: {row.status}"
    yield _resource(Place("run", row.workflow_id), row.workflow_id, about)
    if row.kind == Run.PROJECT:
        yield _resource(Place("project", row.workflow_id), row.workflow_id, about)


def _of_definition(row: Any) -> Iterator[Resource]:
    yield _resource(Place("definition", row.saga_id), row.name or row.saga_id, f"saga, version {row.version}")


def _resource(place: Place, title: str, description: str) -> Resource:
    return Resource(uri=uri_of(place), name=place.ident, title=title, description=description, mime_type=JSON)


SECTIONS: tuple[tuple[Callable[[], QuerySet[Any]], Callable[[Any], Iterator[Resource]]], ...] = (
    (_open_requests, _of_request),
    (_runs, _of_run),
    (_definitions, _of_definition),
)

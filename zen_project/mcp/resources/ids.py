"""Ids by their beginning, the latest first: what a client offers while somebody types."""

from __future__ import annotations

from collections.abc import Callable

from approvals.queries.requests import requests
from orchestration.models import Definition, Run
from zen_project.mcp.resources.uris import Kind

MOST = 50
LONGEST = 200


def beginning_with(kind: Kind, text: str) -> tuple[list[str], bool]:
    """Ids of this kind that begin so, MOST at most, and whether there are more."""
    found = FIND[kind](text) if len(text) <= LONGEST and "\0" not in text else []
    return found[:MOST], len(found) > MOST


def _runs(text: str) -> list[str]:
    rows = Run.objects.filter(kind__in=Run.SAGAS, workflow_id__startswith=text).order_by("-pk")
    return list(rows.values_list("workflow_id", flat=True)[: MOST + 1])


def _projects(text: str) -> list[str]:
    rows = Run.objects.filter(kind=Run.PROJECT, workflow_id__startswith=text).order_by("-pk")
    return list(rows.values_list("workflow_id", flat=True)[: MOST + 1])


def _approvals(text: str) -> list[str]:
    rows = requests().filter(request_id__startswith=text).order_by("-pk")
    return list(rows.values_list("request_id", flat=True)[: MOST + 1])


def _definitions(text: str) -> list[str]:
    rows = Definition.objects.filter(listed=True, saga_id__startswith=text).order_by("saga_id")
    return list(rows.values_list("saga_id", flat=True).distinct()[: MOST + 1])


FIND: dict[Kind, Callable[[str], list[str]]] = {
    "run": _runs,
    "events": _runs,
    "approval": _approvals,
    "project": _projects,
    "definition": _definitions,
}

"""The lines of all agents of a project as they come (Server-Sent Events)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from orchestration.api.feed import AT_ONCE, Topic
from orchestration.api.stream import followed
from orchestration.models import Run
from orchestration.projects.queries import get_project
from orchestration.projects.queries.output import output_entries, output_place, output_position
from orchestration.runs import run_log


def _page(run: Run, after: int) -> list[dict[str, Any]]:
    return output_entries(run, after=after, limit=AT_ONCE)


def _stands(_: Run) -> int:
    return output_position()


OUTPUT = Topic(name="output", page=_page, stands=_stands, ended=run_log.is_complete)


async def output_stream(request: HttpRequest, workflow_id: str) -> Any:
    """From the beginning, or behind Last-Event-ID, to the end of the project."""
    after = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    return await followed(request, workflow_id, OUTPUT, after, place=output_place, find=get_project)

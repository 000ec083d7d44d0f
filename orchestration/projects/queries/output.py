"""What the agents of a project say, line by line, in the order in which it was written."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from foundation.clock import iso
from foundation.errors import BadInput
from orchestration.models import AgentAttempt, Run, RunLine

LOGGER = "agent"
"""Of the lines of agents' attempts (execution/agent_step/record.py)."""
DEEPEST, MOST_RUNS = 3, 200
LARGEST = 2**63 - 1


def runs_of(run: Run) -> list[int]:
    """The ids of the project's run and of the sagas below it, at most MOST_RUNS, the newest of a level first."""
    found = level = [run.pk]
    for _ in range(DEEPEST):
        below = Run.objects.filter(parent__in=level, kind__in=Run.SAGAS).order_by("-id")
        level = list(below.values_list("pk", flat=True)[: MOST_RUNS - len(found)])
        if not level:
            break
        found = [*found, *level]
    return found


def output_entries(run: Run, *, after: int = 0, limit: int = 200) -> list[dict[str, Any]]:
    """The lines of all its agents behind the entry whose `seq` is `after`, the earlier ones first."""
    newest = output_position()  # first: a run that a line up to here belongs to is there
    rows = RunLine.objects.filter(run__in=runs_of(run), logger=LOGGER, id__gt=after, id__lte=newest)
    return _views(rows.select_related("run").only(*NEEDED).order_by("id")[:limit])


def latest_output(run: Run, most: int) -> list[dict[str, Any]]:
    """The last lines of all its agents, the earlier ones first."""
    rows = RunLine.objects.filter(run__in=runs_of(run), logger=LOGGER).select_related("run").only(*NEEDED)
    return _views(list(rows.order_by("-id")[:most])[::-1])


def output_position() -> int:
    """The place behind all that there is: lines of all runs are numbered in the order of their commits."""
    return int(RunLine.objects.order_by("-id").values_list("id", flat=True).first() or 0)


def output_place(text: str) -> int:
    """The place that a `seq` names; '' is the beginning.

    Raises:
        BadInput: it names none.
    """
    if text and not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= LARGEST):
        remedy = "the `seq` of an entry, or nothing for the beginning"
        raise BadInput("this is no place in a project's output", field="after", remedy=remedy)
    return int(text or 0)


NEEDED = (
    "id", "at", "level", "text", "step_id", "purpose", "iteration", "attempt", "run_id", "run__workflow_id",
)  # fmt: skip


def _views(rows: Iterable[RunLine]) -> list[dict[str, Any]]:
    lines = list(rows)
    agents = _agents(lines)
    return [_view(line, *agents.get(_attempt(line), ("", "", None))) for line in lines]


def _agents(lines: Sequence[RunLine]) -> dict[tuple[Any, ...], tuple[str, str, int]]:
    """Which agent each of these attempts was given: its type, its endpoint's name, and the session. One query."""
    if not lines:
        return {}
    of_these = AgentAttempt.objects.numbered().filter(
        run__in={line.run_id for line in lines}, step_id__in={line.step_id for line in lines}
    )
    columns = ("run_id", "step_id", "purpose", "iteration", "attempt", "agent_type", "endpoint_name", "session")
    rows = of_these.order_by("id").values_list(*columns)
    return {tuple(name): (kind, endpoint, session) for *name, kind, endpoint, session in rows}


def _attempt(line: RunLine) -> tuple[Any, ...]:
    return line.run_id, line.step_id, line.purpose, line.iteration, line.attempt


def _view(line: RunLine, agent_type: str, endpoint: str, session: int | None) -> dict[str, Any]:
    return {
        "kind": "line",
        "seq": line.pk,
        "at": iso(line.at),
        "run": line.run.workflow_id,
        "task_id": line.step_id,
        "attempt": line.attempt,
        "session": session,
        "agent_type": agent_type or None,
        "endpoint": endpoint or None,
        "level": logging.getLevelName(line.level),
        "message": line.text,
    }

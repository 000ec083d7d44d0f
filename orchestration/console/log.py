"""A run's log as text, and as it comes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from foundation.visible_text import clean
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.models import Run
from orchestration.projects.queries.output import runs_of
from orchestration.runs import get_run, run_log

LOOK_SECONDS = 0.5
TEXTS = ("stdout", "stderr")


def entries(
    workflow_id: str, *, step: str, level: str, follow: bool, after: str, limit: int
) -> Iterator[dict[str, Any]]:
    """The entries of the run's log; with `follow` those that come, until the run has ended."""
    while True:
        run = get_run(workflow_id)  # first: an entry of the end is never missed
        found = run_log.log_entries(run, step_id=step, level=level, after=after, limit=limit)
        yield from found
        if found:
            after = found[-1]["seq"]
        if not follow or (not found and run_log.is_complete(run)):
            return
        if len(found) < limit:
            time.sleep(LOOK_SECONDS)


def project_entries(run: Run, *, step: str, level: str, follow: bool, limit: int) -> Iterator[dict[str, Any]]:
    """The entries of the logs of a project's run and of the sagas below it, each with its `run`; by time, as they come.

    `step`: of whichever of these runs has it. With `follow` those that come, until the project has ended.

    Raises:
        BadInput: no such level; without `follow`, no run has the step, or the limit is wrong.
    """
    places: dict[int, str] = {}
    while True:
        run = get_run(run.workflow_id)  # first: an entry of the end is never missed
        members = [one for one in _family(run) if not step or step in compiled_plan(one).steps]
        if not members and not follow:
            members = [run]  # which refuses the step, and names those that there are
        pages = []
        for one in members:
            place = places.get(one.pk, "")
            page = run_log.log_entries(one, step_id=step, level=level, after=place, limit=limit)
            pages.append([(one, entry) for entry in page])
        found = _by_time(pages)[:limit]
        for one, entry in found:
            places[one.pk] = entry["seq"]
            yield {**entry, "run": one.workflow_id}
        if not follow or (not found and run_log.is_complete(run)):
            return
        if len(found) < limit:
            time.sleep(LOOK_SECONDS)


def _by_time(pages: Iterable[list[tuple[Run, dict[str, Any]]]]) -> list[tuple[Run, dict[str, Any]]]:
    """By time, but those of one run in its own order: one that was written late waits for those before it."""
    found: list[tuple[str, tuple[Run, dict[str, Any]]]] = []
    for page in pages:
        latest = ""
        for one in page:
            latest = max(latest, one[1]["at"])
            found.append((latest, one))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def _family(run: Run) -> list[Run]:
    return list(Run.objects.filter(pk__in=runs_of(run)).select_related("definition").order_by("id"))


def line(entry: dict[str, Any]) -> str:
    """Time, level, step with attempt, message; below it what an old script printed."""
    about = entry["step_id"] or ""
    number = run_log.shown_number(entry)
    about += f"#{number}" if number else ""
    head = f"{entry['at'][11:23]}  {entry['level']:<8} {about:<20} {entry['message']}"
    texts = [f"{name}: {text}" for name in TEXTS if (text := entry["data"].get(name))]
    return "\n".join(clean(part) for text in (head, *texts) for part in text.rstrip("\n").split("\n"))

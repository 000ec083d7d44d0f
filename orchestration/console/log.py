"""A run's log as text, and as it comes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from foundation.visible_text import clean
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


def line(entry: dict[str, Any]) -> str:
    """Time, level, step with attempt, message; below it what an old script printed."""
    about = entry["step_id"] or ""
    about += f"#{entry['attempt']}" if entry["attempt"] else ""
    head = f"{entry['at'][11:23]}  {entry['level']:<8} {about:<20} {entry['message']}"
    texts = [f"{name}: {text}" for name in TEXTS if (text := entry["data"].get(name))]
    return "\n".join(clean(part) for text in (head, *texts) for part in text.rstrip("\n").split("\n"))

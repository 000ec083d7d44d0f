"""`python -m tests.system.crash.pausing PLACE MARKER COMMAND…`: a process of ours that stops for ever at a named place.

It touches the file MARKER when it is there, and whoever waits for that kills it exactly there. What runs is the real
thing; only the pause is added. `acting@STEP` and `acted@STEP` are places of one step: before and after what it does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import django

WRITES = "approvals.requests.state.locked_request"
HANDS_OVER = "orchestration.engines.temporal.schedule_wake"
PLACES = {
    "opening": (WRITES, "_write_seats", "before"),  # rows of the request written, nothing committed
    "opened": ("approvals.gate", "ask", "after"),  # the request is committed, the attempt's end is not
    "unspent": ("approvals.gate", "_spend", "before"),
    "spent": ("approvals.gate", "_spend", "after"),  # the grant is spent, the action has not gone out
    "acting": ("orchestration.execution.attempt", "perform", "before"),  # the attempt's row is there, nothing is done
    "acted": ("orchestration.execution.attempt", "perform", "after"),  # the action is done, its end is not stored
    "handed": (HANDS_OVER, "_started", "after"),  # a workflow runs, nobody has noted it
    "deciding": (WRITES, "_write_seats", "before"),  # the vote is written, nothing committed
    "telling": ("orchestration.runs.external", "deliver", "before"),  # the decision is committed, nobody was told
    "acting-yes": ("orchestration.runs.acts.acting", "_delivered", "before"),  # a yes to an agent's act is committed
}


def main() -> None:
    place, marker, *command = sys.argv[1:]
    django.setup()
    pause_at(place, Path(marker))
    if command[0] == "celery":
        from zen_project.celery import app

        app.worker_main(command[1:])
    else:
        from django.core.management import execute_from_command_line

        execute_from_command_line(["manage.py", *command])


def pause_at(place: str, marker: Path) -> None:
    place, _, step_id = place.partition("@")
    name, attribute, moment = PLACES[place]
    module = import_module(name)
    real: Callable[..., Any] = getattr(module, attribute)

    def paused(*given: Any, **named: Any) -> Any:
        if step_id and given[0].step_id != step_id:
            return real(*given, **named)
        if moment == "after":
            real(*given, **named)
        marker.touch()
        while True:
            time.sleep(60)

    setattr(module, attribute, paused)


if __name__ == "__main__":
    main()

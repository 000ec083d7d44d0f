"""Reads a run after an act only when the act has taken effect."""

from __future__ import annotations

import time

from foundation.console.exit_codes import note
from orchestration.models import Run

PATIENCE_SECONDS = 5.0
POLL_SECONDS = 0.05


def settled(run: Run, before: Run) -> Run:
    """The run once the act has taken effect, or after a while.

    On Temporal its worker writes the rows after it took the act.
    """
    if run.pk != before.pk:  # a restart's new run
        return run
    deadline = time.monotonic() + PATIENCE_SECONDS
    while run.version == before.version:
        if time.monotonic() > deadline:
            note(f"the act is stored; what follows is not written yet, see `manage.py runs show {run.workflow_id}`")
            break
        time.sleep(POLL_SECONDS)
        run.refresh_from_db()
    return run

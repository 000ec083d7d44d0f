"""After an act: the run as the act left it, and not as it was a moment before."""

from __future__ import annotations

import time

from orchestration.console.doors import note
from orchestration.models import Run

PATIENCE_SECONDS = 5.0
POLL_SECONDS = 0.05


def settled(run: Run, before: Run) -> Run:
    """Temporal has heard the act before its worker has written what follows from it: that is waited for, a while."""
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

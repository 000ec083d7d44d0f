"""The log of a run, for `monitoring.client`."""

from __future__ import annotations

from typing import Any

from orchestration.runs import get_run, run_log


def workflow_logs(
    workflow_id: str, *, step_id: str = "", level: str = "", after: str = "", limit: int = 1000
) -> list[dict[str, Any]]:
    """Entries of the run's log, as `orchestration.runs.run_log.log_entries` has them.

    Raises:
        NotFound: there is no such run.
        BadInput: as of `log_entries`.
    """
    return run_log.log_entries(get_run(workflow_id), step_id=step_id, level=level, after=after, limit=limit)

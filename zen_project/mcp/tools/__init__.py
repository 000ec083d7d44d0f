"""The tools: functions `(caller, arguments) -> JSON` over services, grouped as the rooms are that they call.

`runs` reads, `sagas` and `projects` check and start, `acts` are the verbs on a run, `approvals` asks and decides,
`monitoring` tells how runs and the site do; `pages` and `fields` are shared. A tool is a line in its module's
`ENTRIES`, and all are in `ENTRIES` here: the only list there is, which `zen_project.mcp.server` reads.

A tool parses nothing and judges nothing: its arguments come checked, the service refuses, and `calls` tells it.
"""

from typing import Any

from zen_project.mcp.registry import Entry
from zen_project.mcp.tools import acts, approvals, monitoring, projects, runs, sagas

ENTRIES: tuple[Entry[Any], ...] = (
    *runs.ENTRIES,
    *sagas.ENTRIES,
    *projects.ENTRIES,
    *acts.ENTRIES,
    *approvals.ENTRIES,
    *monitoring.ENTRIES,
)

__all__ = ["ENTRIES"]

"""The tools: functions `(caller, arguments) -> JSON` over services, grouped as the rooms are that they call.

`runs` reads, `sagas` and `projects` check and start, `acts` are the verbs on a run, `approvals` asks and decides,
`monitoring` tells how runs and the site do; `workflow_orchestrator` is one tool for all of it. `pages`, `fields` and
`proposing` are shared. A tool is a line in its module's
`ENTRIES`, and all are in `ENTRIES` here: the only list there is, which `zen_project.mcp.server` reads.

A tool parses nothing and judges nothing: its arguments come checked, the service refuses, and `calls` tells it.
"""

from typing import Any

from zen_project.mcp.registry import Entry
from zen_project.mcp.tools import acts, approvals, monitoring, projects, runs, sagas
from zen_project.mcp.tools.workflow_orchestrator import entry as workflow_orchestrator

ENTRIES: tuple[Entry[Any], ...] = (
    *workflow_orchestrator.ENTRIES,
    *runs.ENTRIES,
    *sagas.ENTRIES,
    *projects.ENTRIES,
    *acts.ENTRIES,
    *approvals.ENTRIES,
    *monitoring.ENTRIES,
)

__all__ = ["ENTRIES"]

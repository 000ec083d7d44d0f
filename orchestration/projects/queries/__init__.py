"""What doors show of a project: one JSON shape for the console, the API and the pages. Reads only.

A project keeps no tables of its own: what its phases gave are outputs of steps, what agents did are rows of
`AgentAttempt`, what people said are the steps of gates. `family` reads these once; `tasks`, `ledger` (requirements,
criteria), `gates` and `numbers` (progress, cost, forecast) are views of it; `project` puts them together. `output` is
what agents say while they work, `diffs` what an attempt changed.

Imported by the doors; imports `runs.queries`, `core.project` and models.
"""

from orchestration.projects.queries.project import (
    costs_view,
    evidence_view,
    get_project,
    page_view,
    plan_view,
    project_view,
    task_views,
)

__all__ = ["costs_view", "evidence_view", "get_project", "page_view", "plan_view", "project_view", "task_views"]

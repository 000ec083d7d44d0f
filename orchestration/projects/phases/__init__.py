"""The phases of a project, as handlers of task steps (TASKS): what each does to files and rows, and what it gives.

Each takes a payload and a TaskContext, and finds its project by the run that the step belongs to; a step of any other
run is refused. Each may be performed again after any kill: what was done already is found and not done twice. What a
phase gives is its step's output, so it is what later phases, gates and pages read; nothing is kept beside it.

`project` finds the project of a step; `prepare`, `planning`, `merging`, `rework`, `verify`, `accept` and `report` are
the phases; `planning_again` is the rest once people want it planned anew, `conflicts` and `asking_agents` what merges
and plans ask agents and people.
Imported by the table ZEN_RESERVED_TASKS; imports `agents.workspace`, `core.project`, `runs` and models.
"""

from __future__ import annotations

from collections.abc import Mapping

_HERE = "orchestration.projects.phases"

TASKS: Mapping[str, str] = {
    "zen.project.prepare": f"{_HERE}.prepare.prepare",
    "zen.project.clear": f"{_HERE}.prepare.clear",
    "zen.project.analyze": f"{_HERE}.planning.analyze",
    "zen.project.plan": f"{_HERE}.planning.plan",
    "zen.project.merge": f"{_HERE}.merging.merge_task",
    "zen.project.revert": f"{_HERE}.merging.revert_task",
    "zen.project.changes": f"{_HERE}.rework.changes",
    "zen.project.nothing": f"{_HERE}.rework.nothing",
    "zen.project.verify": f"{_HERE}.verify.verify",
    "zen.project.built": f"{_HERE}.verify.built",
    "zen.project.sent-back": f"{_HERE}.accept.send_back",
    "zen.project.accept": f"{_HERE}.accept.accept",
    "zen.project.report": f"{_HERE}.report.report",
}
"""Name of a handler → where it is."""

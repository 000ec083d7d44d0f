"""The phases of a project, in their order, and the handlers that perform them."""

from __future__ import annotations

KIND = "multi_agent_project"
"""The kind of a run that is a project."""

PHASES = ("prepare", "analyze", "plan", "build", "verify", "accept", "deploy", "report")
STRATEGIES = ("blue_green", "rolling", "canary", "recreate", "none")

RESERVED = "zen."
"""What the names of our own handlers begin with: no site can register one."""

PROJECT = "project"
"""Key of the outer saga's context under which its spec, its configuration and its gates stand."""

BRIEF = "zen_brief"
"""Key of the inner saga's context: what every agent is told about the project."""

MERGE, GATE = "-merge", "gate-"
"""What the ids of merge steps end in, and those of gates begin with."""

CHANGES, REWORK = "changes", "rework"
"""The steps after `build`: what people asked to be changed, and the saga that does it. Its tasks are `rework-1` …"""


BUILT = "built"
"""The step after those, where a gate stands before `verify`: what that gate is bound to."""

GATES = "gates"
"""The step after that, where the plan is an agent's: the gates that name none of its tasks."""

SENT_BACK = "sent-back"
"""The step before the question about what nothing proves: with the changes asked for there it goes back to CHANGES."""


def handler(name: str) -> str:
    """The name of the handler of a phase or of a step of tasks: `zen.project.merge`."""
    return f"{RESERVED}project.{name}"

"""What is wrong with what an agent is asked for, apart from what its model refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from orchestration.core.agent.agent_type import is_agent_type, unknown_type
from orchestration.core.definition.problems import Problem, short
from orchestration.core.templates import SECRET
from orchestration.core.templates.tokens import texts_in

MOST_TOLD = 20


def agent_problems(action: Mapping[str, Any], *, step: str, field: str) -> Iterator[Problem]:
    """An unknown type of agent, a path out of the repository, a secret that the agent would read."""
    agent = action.get("agent")
    if isinstance(agent, str) and agent and "{" not in agent and not is_agent_type(agent):
        message, remedy = unknown_type(agent)
        yield Problem(step=step, field=f"{field}.agent", value=short(agent), message=message, remedy=remedy)
    for key in ("context_files", "files"):
        paths = action.get(key)
        wrong = [one for one in paths if _leads_out(one)] if isinstance(paths, list) else []
        for path in wrong[:MOST_TOLD]:
            message, remedy = (
                "is not a path inside the repository",
                "write it from the repository's root, such as src/a.py",
            )
            yield Problem(step=step, field=f"{field}.{key}", value=short(path), message=message, remedy=remedy)
    for key, value in action.items():
        if any(SECRET.search(text) for text in texts_in(value)):
            message = "holds a secret, which the agent would read"
            remedy = "give it to the endpoint of the agent, by `agent add --env`"
            yield Problem(step=step, field=f"{field}.{key}", value="", message=message, remedy=remedy)


def is_for_an_agent(step: Mapping[str, Any]) -> bool:
    """Whether an agent does a step: an action `agent`, or a task that names a type of agent and no handler."""
    action = step["forward_action"]
    named = action["type"] == "task" and not action.get("handler") and is_agent_type(step.get("agent_type"))
    return named or action["type"] == "agent"


def _leads_out(path: object) -> bool:
    if not isinstance(path, str):
        return False
    parts = PurePosixPath(path).parts
    return path.startswith("/") or ".." in parts or ".git" in parts or "\x00" in path

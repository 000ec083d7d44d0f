"""What is wrong inside one action, apart from what its model refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from orchestration.core.agent.agent_type import is_agent_type, unknown_type
from orchestration.core.definition.actions import LONGEST_SECONDS, UNITS, Script, wait_seconds
from orchestration.core.definition.calls import call_problems
from orchestration.core.definition.problems import Problem, did_you_mean, short
from orchestration.core.likeness import nearest
from orchestration.core.paths import leads_outside
from orchestration.core.templates import SECRET, problems_in, template_parts
from orchestration.core.templates import url_problems as faults_of_url
from orchestration.core.templates.tokens import texts_in

MOST_LOOKED_UP = 20
"""Unknown ids whose nearest known id is looked for: each look-up compares with every step."""


def action_problems(action: Mapping[str, Any], *, step: str, field: str) -> list[Problem]:
    """What is wrong inside one action, apart from what its model refuses."""
    parts = template_parts(action).items()
    found = [problem_of(step, f"{field}.{key}", value, text) for key, value in parts for text in problems_in(value)]
    url = action.get("url")
    if action.get("type") == "api_call" and isinstance(url, str) and url:
        found += [problem_of(step, f"{field}.url", url, text) for text in faults_of_url(url)]
    if action.get("type") == "api_call":
        found += call_problems(action, step=step, field=field)
    if action.get("type") == "wait":
        found += _wait(action, step, field)
    if action.get("type") == "saga":
        found += _child(action, step, field)
    if action.get("type") == "approval" or field == "approval":
        found += _ask(action, step, field)
    if action.get("type") == "agent":
        found += _agent(action, step, field)
    found += _unknown_keys(action, step, field)
    text = action.get("script")
    if action.get("type") == "script" and isinstance(text, str) and SECRET.search(text):
        found.append(problem_of(step, f"{field}.script", text, "holds a secret reference; pass it by `env`"))
    return found


def _child(action: Mapping[str, Any], step: str, field: str) -> list[Problem]:
    child = action.get("definition")
    if not isinstance(child, str) or not SECRET.search(child):
        return []
    message, remedy = "is a secret reference, and a definition is no secret", "name the output of a step before it"
    return [Problem(step=step, field=f"{field}.definition", value=short(child), message=message, remedy=remedy)]


def _unknown_keys(action: Mapping[str, Any], step: str, field: str) -> list[Problem]:
    """Of a script: nothing reads them, so each is a slip, or hopes for what there is not.

    Not for its model to refuse: definitions that were stored before have them, and their runs go on.
    """
    if action.get("type") != "script":
        return []
    known = [*Script.model_fields, *(["expect"] if field == "probe_action" else [])]
    strange = [key for key in list(action)[:MOST_LOOKED_UP] if key not in known]
    if "script" not in action:  # what is missing is said with the key that was probably meant
        strange = [key for key in strange if not nearest(key, ["script"])]
    message = "is not a known key of a script"
    return [
        Problem(
            step=step, field=f"{field}.{key}", value=short(action[key]), message=message,
            remedy=did_you_mean(key, known, "its keys"),
        )
        for key in strange
    ]  # fmt: skip


def _ask(ask: Mapping[str, Any], step: str, field: str) -> list[Problem]:
    found = []
    if any(SECRET.search(text) for text in texts_in(ask)):
        message, remedy = "is shown to people, so it cannot hold a secret", "leave the reference out"
        found.append(Problem(step=step, field=field, value="", message=message, remedy=remedy))
    if ask.get("policy") is not None:
        for key in ("approvers", "how_many"):
            if ask.get(key) is not None:
                message, remedy = "the policy says who decides", "remove it, or the policy"
                found.append(Problem(step=step, field=f"{field}.{key}", value="", message=message, remedy=remedy))
    return found


def _agent(action: Mapping[str, Any], step: str, field: str) -> Iterator[Problem]:
    """An unknown type of agent, a path out of the repository, a secret that the agent would read."""
    agent = action.get("agent")
    if isinstance(agent, str) and agent and "{" not in agent and not is_agent_type(agent):
        message, remedy = unknown_type(agent)
        yield Problem(step=step, field=f"{field}.agent", value=short(agent), message=message, remedy=remedy)
    for key in ("context_files", "files"):
        paths = action.get(key)
        wrong = [one for one in paths if isinstance(one, str) and leads_outside(one)] if isinstance(paths, list) else []
        for path in wrong[:MOST_LOOKED_UP]:
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


def _wait(action: Mapping[str, Any], step: str, field: str) -> list[Problem]:
    until = action.get("until")
    units = [unit for unit in UNITS if action.get(unit) is not None]
    if until is not None:
        return _until(until, units, step, field)
    if not units:
        known = [*UNITS, "until"]
        near = [(key, nearest(key, known)) for key in action if key != "type" and key not in known]
        meant = next((f"did you mean '{unit}' by '{key}'?" for key, unit in near if unit), "")
        remedy = meant or f"give until, or one or more of: {', '.join(UNITS)}"
        return [Problem(step=step, field=field, value="", message="does not say how long to wait", remedy=remedy)]
    if wait_seconds(action) > LONGEST_SECONDS:
        message, remedy = "waits longer than 366 days", "wait less, or let another system start a saga later"
        return [Problem(step=step, field=field, value="", message=message, remedy=remedy)]
    return []


def _until(until: object, units: Sequence[str], step: str, field: str) -> list[Problem]:
    if units:
        message, remedy = f"is given beside {' and '.join(units)}", "give either a time or a length"
        return [Problem(step=step, field=f"{field}.until", value=short(until), message=message, remedy=remedy)]
    if not isinstance(until, str) or "{" in until or _is_time(until):
        return []
    message, remedy = "is not a time with its offset", "write it as 2026-07-01T08:00:00+02:00, or with Z for UTC"
    return [Problem(step=step, field=f"{field}.until", value=short(until), message=message, remedy=remedy)]


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def problem_of(step: str, field: str, value: object, text: str) -> Problem:
    """A problem from 'message; remedy'."""
    message, _, remedy = text.partition("; ")
    return Problem(step=step, field=field, value=short(value), message=message, remedy=remedy)

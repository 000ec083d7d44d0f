"""What a step may ask of an agent."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.core.definition import DefinitionErrors, Problem, validate_definition, warnings_of
from orchestration.core.saga.compile import compile_plan
from orchestration.core.templates import Scope, render_action


def saga(**action: Any) -> dict[str, Any]:
    step = {"step_id": "a", "forward_action": {"type": "agent", "agent": "CLAUDE", "prompt": "Write it"} | action}
    return {"saga_id": "s", "context": {"what": "a parser"}, "steps": [step]}


def problem(**action: Any) -> Problem:
    with pytest.raises(DefinitionErrors) as refused:
        validate_definition(saga(**action))
    assert len(refused.value.problems) == 1, refused.value
    return refused.value.problems[0]


def test_a_step_of_an_agent_goes_to_the_queue_agents_and_has_hours() -> None:
    plan = compile_plan(validate_definition(saga()))
    assert (plan.steps["a"].queue, plan.steps["a"].timeout_seconds, plan.steps["a"].cancellable) == (
        "agents",
        14_400,
        True,
    )
    chosen = saga()
    chosen["steps"][0] |= {"queue": "default", "timeout_seconds": 60}
    plan = compile_plan(validate_definition(chosen))
    assert (plan.steps["a"].queue, plan.steps["a"].timeout_seconds) == ("default", 60)


@pytest.mark.parametrize(
    ("agent_type", "action", "queue"),
    [
        ("CLAUDE", {"type": "task"}, "agents"),
        ("claude", {"type": "task"}, "agents"),
        ("CLAUDE", {"type": "task", "handler": "h"}, "default"),
        ("a robot", {"type": "task"}, "default"),
    ],
)
def test_a_task_for_an_agent_goes_there_too(agent_type: str, action: dict[str, Any], queue: str) -> None:
    step = {"step_id": "a", "agent_type": agent_type, "forward_action": action}
    assert compile_plan(validate_definition({"saga_id": "s", "steps": [step]})).steps["a"].queue == queue


def test_placeholders_are_filled_in_the_prompt_and_never_in_a_check() -> None:
    made = validate_definition(
        saga(prompt="Write {what} in {{braces}}", checks=["for i in {1..3}; do echo {what}; done"])
    )
    rendered = render_action(made.steps[0].forward_action.plain(), Scope(own=None, step_id="a", context=made.context))
    assert rendered["prompt"] == "Write a parser in {braces}"
    assert rendered["checks"] == ["for i in {1..3}; do echo {what}; done"]


@pytest.mark.parametrize(
    ("action", "field", "told"),
    [
        ({"agent": "CLAUD"}, "forward_action.agent", "did you mean 'CLAUDE'?"),
        ({"agent": "x"}, "forward_action.agent", "the types are: CLAUDE, CODEX"),
        ({"prompt": ""}, "forward_action.prompt", "what it is told"),
        ({"prompt": "use {secret:KEY}"}, "forward_action.prompt", "to the endpoint of the agent"),
        ({"files": ["../a"]}, "forward_action.files", "from the repository's root"),
        ({"files": ["/etc/passwd"]}, "forward_action.files", "from the repository's root"),
        ({"context_files": [".git/config"]}, "forward_action.context_files", "from the repository's root"),
        ({"checks": [""]}, "forward_action.checks[0]", "shell commands"),
        ({"checks": "pytest"}, "forward_action.checks", "shell commands"),
        ({"max_turns": 0}, "forward_action.max_turns", "a whole number from 1"),
        ({"budget": -1}, "forward_action.budget", "a number or a {placeholder}"),
        ({"budget": "much"}, "forward_action.budget", "a number or a {placeholder}"),
        ({"promt": "x"}, "forward_action.promt", "did you mean"),
    ],
)
def test_what_is_wrong_is_told(action: dict[str, Any], field: str, told: str) -> None:
    found = problem(**action)
    assert (found.step, found.field) == ("a", field) and told in found.remedy, found


def test_a_type_may_come_from_the_context_and_a_budget_be_a_number_or_a_text() -> None:
    for budget in (5, 0.5, "2.50", "{money}"):
        given = saga(agent="{who}", budget=budget)
        given["context"] |= {"who": "codex", "money": 3}
        validate_definition(given)


def test_an_agent_undoes_nothing_and_needs_no_undo() -> None:
    assert warnings_of(validate_definition(saga())) == []
    given = saga()
    given["steps"][0]["compensation_action"] = {"type": "agent", "agent": "CLAUDE", "prompt": "undo it"}
    with pytest.raises(DefinitionErrors, match="type agent is not allowed here"):
        validate_definition(given)

"""The queue of a step: said in the definition, carried by its commands, and read from the setting."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestration.core import queues
from orchestration.core.definition import DefinitionErrors, SagaDefinition, validate_definition
from orchestration.core.enums import Cause, Outcome, Purpose
from orchestration.core.saga.codec import COMMAND, PLAN
from orchestration.core.saga.commands import RunAction
from orchestration.core.saga.compile import compile_plan
from orchestration.core.saga.events import AbortRequested, ActionEnded, Event, RunStarted
from orchestration.core.saga.flow import decide
from orchestration.core.saga.state import SagaState

AT = datetime(2026, 1, 1, tzinfo=UTC)


def saga(**step: Any) -> dict[str, Any]:
    act = {"type": "script", "script": "true"}
    return {
        "saga_id": "s",
        "steps": [{"step_id": "a", "forward_action": act, "compensation_action": act, **step}],
    }


def commands_of(definition: SagaDefinition, *events: Event) -> list[RunAction]:
    plan, state = compile_plan(definition), SagaState(workflow_id="w")
    found: list[RunAction] = []
    for event in events:
        state, commands = decide(plan, state, event)
        found += [command for command in commands if isinstance(command, RunAction)]
    return found


def test_forward_retry_and_undo_go_to_the_steps_queue() -> None:
    definition = validate_definition(saga(queue="agents"))
    done = ActionEnded(at=AT, step_id="a", purpose=Purpose.FORWARD, iteration=1, attempt=1, outcome=Outcome.SUCCEEDED)
    undo = AbortRequested(at=AT, cause=Cause.OPERATOR, undo_completed=True)
    found = commands_of(definition, RunStarted(at=AT), done, undo)
    assert [(one.purpose, one.queue) for one in found] == [(Purpose.FORWARD, "agents"), (Purpose.UNDO, "agents")]


def test_the_default_queue_leaves_stored_json_as_it_was() -> None:
    plan = compile_plan(validate_definition(saga()))
    command = RunAction(step_id="a", purpose=Purpose.FORWARD, iteration=1, attempt=1)
    assert COMMAND.dump_json(command) == (
        b'{"step_id":"a","purpose":"forward","iteration":1,"attempt":1,"alternative":false,"kind":"run_action"}'
    )
    assert b"queue" not in PLAN.dump_json(plan)
    assert PLAN.validate_json(PLAN.dump_json(plan)) == plan


def test_another_queue_travels() -> None:
    plan = compile_plan(validate_definition(saga(queue="agents")))
    assert PLAN.validate_json(PLAN.dump_json(plan)).steps["a"].queue == "agents"
    command = RunAction(step_id="a", purpose=Purpose.UNDO, iteration=1, attempt=1, queue="agents")
    assert json.loads(COMMAND.dump_json(command))["queue"] == "agents"
    assert COMMAND.validate_json(COMMAND.dump_json(command)) == command


@pytest.mark.parametrize("name", ["", "Agents", "two words", "-x", "x-", "a,b", "a:b", "x" * 51, 7, None, "é"])
def test_what_is_no_name_is_refused_by_field(name: object) -> None:
    with pytest.raises(DefinitionErrors) as caught:
        validate_definition(saga(queue=name))
    (problem,) = caught.value.problems
    assert (problem.step, problem.field) == ("a", "queue") and problem.remedy


def test_a_key_that_is_nearly_queue_is_named() -> None:
    with pytest.raises(DefinitionErrors, match="did you mean 'queue'"):
        validate_definition(saga(queu="agents"))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("default:8", {"default": 8}),
        (" default:8 , agents:4 ", {"default": 8, "agents": 4}),
        ("gpu.big_1-x:256", {"gpu.big_1-x": 256}),
    ],
)
def test_the_setting_is_read(text: str, meant: dict[str, int]) -> None:
    assert queues.parse(text) == meant
    assert queues.parse(queues.in_words(meant)) == meant


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("default", "does not say how many threads serve 'default'"),
        ("default:8,", "has an empty entry"),
        ("default:0", "gives 'default' '0' threads"),
        ("default:-1", "gives 'default' '-1' threads"),
        ("default:1.5", "gives 'default' '1.5' threads"),
        ("default:257", "gives 'default' '257' threads"),
        ("Default:8", "has 'Default', which is not the name of a queue"),
        ("a:8,a:8", "names 'a' twice"),
        ("a:200,b:100", "has 300 threads together"),
        (":8", "has '', which is not the name"),
    ],
)
def test_a_wrong_setting_says_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match="^" + why.replace("'", "'")):
        queues.parse(text)

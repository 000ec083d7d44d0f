"""Patterns that cannot be searched in linear time: refused of new content, while stored sagas go on."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from foundation.errors import BadInput
from foundation.validation import patterns
from foundation.validation.pattern_size import LOOK_SIZE
from orchestration.actions.output_schema import CHECK_LOOKS
from orchestration.models import Definition
from orchestration.runs import check_definition, publish, start_run
from orchestration.runs.definitions import checking
from orchestration.runs.new_run import Parent
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db

SLOW = "^(?!x)[a-z]+$"
SCHEMA: dict[str, Any] = {"properties": {"name": {"pattern": SLOW}}}


def saga(schema: dict[str, Any] = SCHEMA, saga_id: str = "s", **action: Any) -> dict[str, Any]:
    task = action or {"type": "task", "handler": "x.y"}
    step = {"step_id": "a", "forward_action": task}
    return {"saga_id": saga_id, "steps": [step if action else {**step, "output_schema": schema}]}


def stored_before(data: dict[str, Any]) -> Definition:
    """As a release stored it that did not look at patterns."""
    checking._known.clear()
    with mock.patch.object(checking, "pattern_problems", return_value=[]):
        stored, _ = publish(data=data, actor=ADA)
    checking._known.clear()
    return stored


def problem(call: Any) -> dict[str, Any]:
    with pytest.raises(BadInput) as caught:
        call()
    (only,) = caught.value.problems
    return dict(only)


@pytest.mark.parametrize(
    "call",
    [
        lambda data: publish(data=data, actor=ADA),
        lambda data: start_run(definition=data, actor=ADA, engine="celery"),
        check_definition,
    ],
)
def test_new_content_is_refused_with_the_place_the_pattern_and_a_remedy(call: Any) -> None:
    said = problem(lambda: call(saga()))
    assert (said["step"], said["field"]) == ("a", "output_schema.properties.name.pattern")
    assert said["value"] == repr(SLOW) and "linear" in said["message"] and "allOf" in said["remedy"]
    assert not Definition.objects.exists()


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({"patternProperties": {r"(a)\1": True}}, r"output_schema.patternProperties.(a)\1"),
        ({"allOf": [{"not": {"pattern": SLOW}}]}, "output_schema.allOf[0].not.pattern"),
        ({"$defs": {"n": {"pattern": "a++"}}, "items": {"$ref": "#/$defs/n"}}, "output_schema.$defs.n.pattern"),
    ],
)
def test_wherever_it_stands(schema: dict[str, Any], field: str) -> None:
    assert problem(lambda: check_definition(saga(schema)))["field"] == field


@pytest.mark.parametrize("name", ["default", "const", "enum", "examples"])
@pytest.mark.parametrize("holder", ["properties", "patternProperties", "$defs", "dependentSchemas"])
def test_under_a_name_that_is_called_like_a_keyword(holder: str, name: str) -> None:
    assert problem(lambda: check_definition(saga({holder: {name: SCHEMA}})))["field"].endswith("name.pattern")


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"x": {"$ref": "#/examples/0"}}, "examples": [{"pattern": SLOW}]},
        {"properties": {"x": {"$ref": "#/$defs/k/default"}}, "$defs": {"k": {"default": {"pattern": SLOW}}}},
        {"properties": {"x": {"$ref": "#/const"}}, "const": {"$ref": "#/default"}, "default": {"pattern": SLOW}},
        {
            "$defs": {"e": {"$id": "http://e.example/", "default": {"pattern": SLOW}, "items": {"$ref": "#/default"}}},
            "default": {},
        },
    ],
)
def test_where_a_reference_leads(schema: dict[str, Any]) -> None:
    assert problem(lambda: check_definition(saga(schema)))["field"].endswith("$ref.pattern")


def many(pattern: str, count: int) -> dict[str, Any]:
    return {"properties": {f"p{at}": {"pattern": f"{pattern}{at}"} for at in range(count)}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (many("(?:a{0,300}){0,300}", 300), "take too long"),
        (many(r"(?:\w{0,9}){11}", 300), "take too long"),
        (many(r"\w{150}", 1), "too large"),
        (many("a" * 2000, 1), "too large"),
        (many("a", 501), "one pattern too many"),
    ],
)
def test_patterns_are_counted_before_they_are_compiled(
    monkeypatch: pytest.MonkeyPatch, schema: dict[str, Any], said: str
) -> None:
    sizes: list[int] = []
    compiled = patterns._compiled

    def counted(pattern: str) -> Any:
        sizes.append(patterns.size_of_pattern(pattern))
        return compiled(pattern)

    monkeypatch.setattr(patterns, "_compiled", counted)
    assert said in problem(lambda: check_definition(saga(schema)))["message"]
    assert sum(sizes) <= CHECK_LOOKS * LOOK_SIZE


@pytest.mark.slow
def test_what_is_known_costs_what_it_cost_at_first() -> None:
    def steps(*numbers: int) -> dict[str, Any]:
        bare = saga()["steps"][0]
        schemas = ({"allOf": [{"minLength": number}] * 1000} for number in numbers)
        told = [{**bare, "step_id": f"s{at}", "output_schema": one} for at, one in zip(numbers, schemas, strict=True)]
        return {"saga_id": "s", "steps": told}

    for number in range(8):
        check_definition(steps(number))
    with pytest.raises(BadInput, match="takes too long"):
        check_definition(steps(*range(8)))


def test_in_a_child_in_place() -> None:
    parent = saga(saga_id="p", type="saga", definition=saga())
    assert problem(lambda: publish(data=parent, actor=ADA))["step"] == "a/a"


def test_what_only_looks_like_a_pattern_is_none() -> None:
    check_definition(saga({"properties": {"pattern": {"const": {"pattern": SLOW}}}, "required": ["pattern"]}))


def test_a_stored_saga_is_started_published_again_and_looked_at_as_before() -> None:
    stored = stored_before(saga())
    run, started = start_run(definition=stored.body, actor=ADA, engine="celery")
    assert started and run.definition == stored
    assert publish(data=saga(), actor=ADA) == (stored, False)
    assert check_definition(stored.body).saga_id == "s"


def test_a_child_in_place_of_a_stored_saga_is_started() -> None:
    stored = stored_before(saga(saga_id="p", type="saga", definition=saga()))
    run, _ = start_run(definition=stored.body, actor=ADA, engine="celery")
    parent = Parent(run=run, step_id="a", iteration=0, attempt=1)
    child, started = start_run(definition=saga(), actor=ADA, engine="celery", parent=parent, listed=False)
    assert started and child.parent == run

"""What a step may promise about its output, and what happens when it does not keep it."""

from __future__ import annotations

from typing import Any

import pytest

from foundation.errors import BadInput
from orchestration.actions.output_schema import mismatch
from orchestration.runs import check_definition

WAIT = {"type": "wait", "seconds": 0}
TASK = {"type": "task", "handler": "x.y"}
OBJECT: dict[str, Any] = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}


def saga(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"saga_id": "s", "steps": [{"step_id": "a", "forward_action": TASK, "output_schema": schema, **more}]}


def problems(definition: object) -> list[tuple[object, object]]:
    with pytest.raises(BadInput) as caught:
        check_definition(definition)
    return [(problem["step"], problem["field"]) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({"type": "objekt"}, "output_schema.type"),
        ({"properties": {"a": {"pattern": "("}}}, "output_schema.properties.a.pattern"),
        ({"items": [{"type": 3}]}, "output_schema.items"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "output_schema.$schema"),
        ({"$ref": "https://example.com/schema"}, "output_schema.$ref"),
        ({"$ref": "file:///etc/passwd"}, "output_schema.$ref"),
        ({"properties": {"a": {"$ref": "#/$defs/none"}}}, "output_schema.properties.a.$ref"),
        ({"$ref": "#"}, "output_schema"),
    ],
)
def test_a_schema_that_is_none_is_refused_with_its_place(schema: dict[str, Any], field: str) -> None:
    assert problems(saga(schema)) == [("a", field)]


def test_a_sound_schema_with_references_inside_is_accepted() -> None:
    schema = {"$defs": {"id": {"type": "integer"}}, "properties": {"id": {"$ref": "#/$defs/id"}}}
    assert check_definition(saga(schema)).steps[0].output_schema == schema


def test_a_key_that_is_called_like_a_reference_is_none() -> None:
    check_definition(saga({"properties": {"$ref": {"type": "string"}}, "const": {"$ref": "elsewhere"}}))


def test_other_faults_and_faulty_schemas_are_told_together() -> None:
    assert problems({**saga({"type": 1}), "stepz": 1}) == [("", "stepz"), ("a", "output_schema.type")]


def test_a_child_in_place_is_looked_at_too() -> None:
    child = {"type": "saga", "definition": {**saga({"type": 1}), "saga_id": "c"}}
    assert problems({"saga_id": "s", "steps": [{"step_id": "kid", "forward_action": child}]}) == [
        ("kid/a", "output_schema.type")
    ]


def test_a_default_output_keeps_the_promise_too() -> None:
    assert problems(saga(OBJECT, critical=False, default_output={"id": "none"})) == [("a", "default_output")]
    check_definition(saga(OBJECT, critical=False, default_output={"id": 0}))


@pytest.mark.parametrize("action", [WAIT, {"type": "saga", "definition": "other"}])
def test_a_wait_and_a_child_have_no_schema(action: dict[str, Any]) -> None:
    assert problems(saga(OBJECT, forward_action=action)) == [("a", "output_schema")]


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ({"id": 1}, ""),
        ({"id": "one"}, '$.id: "one" breaks type: "integer"'),
        ({}, "$: 'id' is a required property"),
        ([], '$: [] breaks type: "object"'),
    ],
)
def test_a_mismatch_names_path_and_value(output: Any, said: str) -> None:
    assert mismatch(OBJECT, output).endswith(said) and bool(mismatch(OBJECT, output)) == bool(said)


def test_a_long_value_is_shortened_after_it_was_made_fit_to_be_seen() -> None:
    said = mismatch(OBJECT, {"id": "x" * 70 + "hush-hush" + "y" * 1000}, show=lambda v: v.replace("hush-hush", "***"))
    assert len(said) < 250 and "hush" not in said


def test_an_endless_schema_or_a_deep_output_is_a_mismatch_and_no_crash() -> None:
    deep: Any = 1
    for _ in range(900):
        deep = {"a": deep}
    assert "to itself without end" in mismatch({"additionalProperties": {"$ref": "#"}}, deep)


@pytest.mark.parametrize("more", range(12))
@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "contains", "if", "unevaluatedItems", "unevaluatedProperties"])
def test_a_schema_that_refers_to_itself_ends_before_the_interpreter_does(keyword: str, more: int) -> None:
    """Near its limit a library that is not in Python ends with an error that no `except Exception` catches."""
    inner: Any = {"$ref": "#/$defs/a"}
    part = [inner] if keyword in ("allOf", "anyOf") else {"not": {"not": inner}} if keyword == "contains" else inner
    schema: dict[str, Any] = {"$defs": {"a": {keyword: part, "allOf": [inner]}}, "$ref": "#/$defs/a"}

    def deeper(levels: int) -> str:
        return deeper(levels - 1) if levels else mismatch(schema, [{"a": [{}]}])

    assert "to itself without end" in deeper(more) and "to itself without end" in deeper(500 + more)


@pytest.mark.parametrize(
    "value", [{"pattern": "("}, {"pattern": 5}, {"patternProperties": [1]}, {"$ref": "http://x/"}, 7]
)
def test_what_a_reference_leads_to_is_a_schema(value: Any) -> None:
    schema: dict[str, Any] = {"properties": {"a": {"$ref": "#/default"}}, "default": value}
    assert str(problems(saga(schema))[0][1]).startswith("output_schema.properties.a.$ref")
    assert mismatch(schema, {"a": "text"}) or mismatch(schema, {"a": {"b": 1}})


def test_a_check_that_breaks_is_a_mismatch() -> None:
    assert "could not be held against the output: TypeError" in mismatch({"pattern": 5}, "text")
    assert problems(saga({"pattern": "a{99999999999999}"})) == [("a", "output_schema")]


def test_nothing_is_fetched() -> None:
    assert "leads nowhere" in mismatch({"$ref": "http://127.0.0.1:9/schema"}, {})

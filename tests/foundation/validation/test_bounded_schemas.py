"""What a schema may cost: whoever may see a preview brings both the schema and the default it is held against."""

from __future__ import annotations

import re
from typing import Any

import pytest

from orchestration.actions import output_schema
from orchestration.actions.output_schema import mismatch
from orchestration.runs import check_definition
from tests.orchestration.actions.test_output_schemas import problems, saga

LAUGHING: dict[str, Any] = {
    "$defs": {f"d{at}": {"allOf": [{"$ref": f"#/$defs/d{at + 1}"}] * 2} for at in range(40)} | {"d40": {}},
    "$ref": "#/$defs/d0",
}


def default(schema: dict[str, Any], value: object) -> dict[str, Any]:
    return saga({"properties": {"a": schema}}, critical=False, default_output={"a": value})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("definition", "field"),
    [
        (saga(LAUGHING), "output_schema"),
        (saga({"allOf": [{"type": "object"}] * 10_000}), "output_schema"),
        (default({"items": {"allOf": [{}] * 1000}}, [1] * 1000), "default_output"),
        (default({"items": {"enum": [{"a": at} for at in range(1000)]}}, [{"b": 1}] * 1000), "default_output"),
        (default({"pattern": r"^(a+)+(?=b)$"}, "a" * 60), "default_output"),
        (default({"pattern": r"^(a+)+\1$"}, "a" * 60 + "!"), "default_output"),
        (default({"allOf": [{"type": "string"}] * 500}, {"b": [0] * 5000}), "default_output"),
    ],
)
def test_what_takes_too_long_is_refused_with_its_place(definition: dict[str, Any], field: str) -> None:
    assert problems(definition) == [("a", field)]


def test_the_schemas_of_a_definition_have_one_bound_together() -> None:
    steps = [{**saga({"allOf": [{"minLength": at}] * 200})["steps"][0], "step_id": f"s{at}"} for at in range(100)]
    found = problems({"saga_id": "s", "steps": steps})
    assert found and found[0][0] != "s0" and {field for _, field in found} == {"output_schema"}


def test_what_is_dear_in_the_library_and_need_not_be_is_taken() -> None:
    check_definition(default({"pattern": "^(a+)+$"}, "a" * 60))
    check_definition(default({"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False}, {"a" * 60: 1}))
    check_definition(default({"uniqueItems": True}, [{"a": at} for at in range(3000)]))
    many = {str(at): {"$anchor": f"a{at}"} for at in range(200)}
    check_definition(saga({"$defs": many, "allOf": [{"$ref": f"#a{at}"} for at in range(200)]}))
    assert problems(default({"pattern": "^(a+)+$"}, "a" * 60 + "!")) == [("a", "default_output")]


@pytest.mark.filterwarnings("ignore:Possible set:FutureWarning")
@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^a$", "a\n"), ("^a$", "a\nb"), ("b", "abc"), (r"^\d+$", "١٢"), (r"^[\w-]+$", "ä-b"), (r"(?=b)b", "b"),
        (r"(a)\1", "aa"), ("^[a&&b]$", "&"), (r"^a\Z", "a"), ("a++b", "aab"), ("^.$", "\ud800"), ("", ""), ("{", "{"),
    ],
)  # fmt: skip
def test_patterns_mean_what_they_meant(pattern: str, text: str) -> None:
    found = re.search(pattern, text) is not None
    assert (mismatch({"properties": {"a": {"pattern": pattern}}}, {"a": text}) == "") is found
    names: dict[str, Any] = {"patternProperties": {pattern: True}, "additionalProperties": False}
    assert (mismatch(names, {text: 1}) == "") is found


@pytest.mark.parametrize(
    ("items", "are_unique"),
    [
        ([1, True, "1", None, 0, False], True), ([1, 1.0], False), ([{"a": 1, "b": [2]}, {"b": [2.0], "a": 1}], False),
        ([{"a": 1}, {"a": True}], True), ([[1], [True]], True), ([[], {}], True), ([[], []], False), ([{}, {}], False),
    ],
)  # fmt: skip
def test_items_that_are_unique(items: list[Any], are_unique: bool) -> None:
    assert (mismatch({"properties": {"a": {"uniqueItems": True}}}, {"a": items}) == "") is are_unique


def test_an_output_that_takes_too_long_fails_its_step_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output_schema, "RUN_LOOKS", 1000)
    assert "takes too long" in mismatch(LAUGHING, {})
    assert mismatch({"type": "object"}, {"a": 1}) == ""


def test_a_number_beyond_doubles_is_no_fault_of_ours() -> None:
    assert "too large" in mismatch({"properties": {"a": {"multipleOf": 0.01}}}, {"a": 10**400})

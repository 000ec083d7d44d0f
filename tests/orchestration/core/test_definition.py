"""What an author may write, and how well the refusal of the rest helps."""

from __future__ import annotations

import copy
import difflib
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any
from unittest import mock

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.core.definition import (
    ApiCall,
    DefinitionErrors,
    Problem,
    SagaDefinition,
    definition_hash,
    json_schema,
    validate_action,
    validate_definition,
    warnings_of,
)
from orchestration.core.definition.fillable import missing, misspelt, needs_of
from orchestration.core.definition.own import forward_names, own_names
from orchestration.core.likeness import MOST_WORK, PER_LOOK, PER_PAIR
from orchestration.core.saga.compile import compile_plan
from orchestration.core.templates import OwnMissing, Scope, render_action
from tests.orchestration.core.seed_sagas import DEPLOYMENT, ONBOARDING

WAIT: dict[str, Any] = {"type": "wait", "seconds": 0}
SCHEMA = jsonschema_rs.validator_for(json_schema())
CALL: dict[str, Any] = {"type": "api_call", "url": "https://x.example/a"}


def saga(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"saga_id": "s", "steps": list(steps), **more}


def step(step_id: str, forward: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"step_id": step_id, "forward_action": WAIT if forward is None else forward, **more}


def problems(data: object) -> tuple[Problem, ...]:
    with pytest.raises(DefinitionErrors) as caught:
        validate_definition(data)
    return caught.value.problems


def only(data: object) -> Problem:
    found = problems(data)
    assert len(found) == 1, [str(problem) for problem in found]
    return found[0]


# --- what is accepted ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [ONBOARDING, DEPLOYMENT], ids=["onboarding", "deployment"])
def test_the_sagas_of_the_seed_are_accepted_as_they_stand(data: dict[str, Any]) -> None:
    before = copy.deepcopy(data)
    definition = validate_definition(data)
    assert definition.saga_id == data["saga_id"]
    assert data == before
    SCHEMA.validate(data)


def test_defaults() -> None:
    made = validate_definition(
        saga(step("a", CALL), step("b", {"type": "task"}), step("c", {"type": "script", "script": "true"}))
    )
    assert (made.max_parallel, made.effective_timeout_seconds, made.compensation_order) == (100, None, "parallel")
    assert [s.effective_timeout_seconds for s in made.steps] == [60, 600, 600]
    first = made.steps[0]
    assert (first.retry_count, first.compensation_retry_count, first.critical, first.pivot) == (0, 5, True, False)
    assert isinstance(first.forward_action, ApiCall)
    assert first.forward_action.method == "GET"


def test_timeouts_in_minutes() -> None:
    made = validate_definition(saga(step("a", CALL, timeout_minutes=0.5), timeout_minutes=30))
    assert (made.steps[0].effective_timeout_seconds, made.effective_timeout_seconds) == (30, 1800)


def test_keys_inside_an_action_travel_with_it() -> None:
    action = validate_definition(DEPLOYMENT).steps[0].forward_action
    assert action.plain() == DEPLOYMENT["steps"][0]["forward_action"]


def test_a_null_that_was_written_stays_in_the_plain_action() -> None:
    with_null, without = validate_action({**CALL, "payload": None}), validate_action(CALL)
    assert with_null.plain()["payload"] is None
    assert "payload" not in without.plain()
    assert validate_action({**CALL, "payload": {"a": None}}).plain()["payload"] == {"a": None}


def test_tuples_and_text_enums_are_taken_from_python() -> None:
    from enum import Enum

    class Agent(str, Enum):  # noqa: UP042 - users have such enums
        CLAUDE = "CLAUDE"

    made = validate_definition({"saga_id": "s", "steps": (step("a", agent_type=Agent.CLAUDE, dependencies=()),)})
    assert made.steps[0].agent_type == "CLAUDE"
    assert made.steps[0].dependencies == ()


def test_a_model_can_be_validated_again() -> None:
    made = validate_definition(ONBOARDING)
    assert validate_definition(made) == made


# --- problems --------------------------------------------------------------------------------------------------------


def test_every_problem_is_found_at_once_and_names_step_field_value_and_remedy() -> None:
    found = problems(
        saga(
            step("a", {"type": "api_cal", "url": "x"}, dependncies=[]),
            step("b", {**CALL, "method": "post"}, dependencies=["a", "cc"], retry_count="3"),
            step("c", {**CALL, "url": "https://x/{a b}"}, timeout_seconds=1, timeout_minutes=1),
            nam="x",
        )
    )
    by_place = {(p.step, p.field): p for p in found}
    assert set(by_place) >= {
        ("", "nam"),
        ("a", "forward_action.type"),
        ("a", "dependncies"),
        ("b", "forward_action.method"),
        ("b", "dependencies"),
        ("b", "retry_count"),
        ("c", "forward_action.url"),
        ("c", "timeout_seconds"),
    }
    assert "'dependencies'" in by_place["a", "dependncies"].remedy
    assert "'api_call'" in by_place["a", "forward_action.type"].remedy
    assert "'POST'" in by_place["b", "forward_action.method"].remedy
    assert "'c'" in by_place["b", "dependencies"].remedy
    assert by_place["b", "retry_count"].value == "'3'"
    assert "'name'" in by_place["", "nam"].remedy
    assert all(p.message and p.remedy for p in found)


def test_the_errors_read_well_and_travel_as_mappings() -> None:
    with pytest.raises(DefinitionErrors, match="step 'a', retry_cout: is not a known key") as caught:
        validate_definition(saga(step("a", retry_cout=1)))
    assert caught.value.as_dicts() == [
        {
            "step": "a",
            "field": "retry_cout",
            "value": "1",
            "message": "is not a known key",
            "remedy": "did you mean 'retry_count'?",
        }
    ]


@pytest.mark.parametrize("data", [None, [], "text", 3, {}])
def test_what_is_no_definition_is_refused_in_words(data: object) -> None:
    assert problems(data)


def test_a_saga_without_steps() -> None:
    assert only(saga()).field == "steps"


def test_a_circle_is_shown_as_a_path() -> None:
    found = only(saga(step("a", dependencies=["c"]), step("b", dependencies=["a"]), step("c", dependencies=["b"])))
    assert " → " in found.message
    circle = found.message.rpartition(": ")[2].split(" → ")
    waits_for = {"a": "c", "b": "a", "c": "b"}
    assert circle[0] == circle[-1]
    assert all(waits_for[one] == other for one, other in pairwise(circle))


def test_a_circle_through_the_order_of_the_list() -> None:
    assert "a → b → a" in only(saga(step("a", dependencies=["b"]), step("b"))).message.replace("b → a → b", "a → b → a")


def test_a_step_that_depends_on_itself() -> None:
    assert "itself" in only(saga(step("a", dependencies=["a"]))).message


def test_ids_used_twice() -> None:
    found = only(saga(step("a"), step("b"), step("a")))
    assert (found.step, found.field) == ("a", "step_id")


@pytest.mark.parametrize("bad", ["", "a.b", "a b", "__a", "-a", "a/b", "ä", "a" * 101, "a\n"])
def test_step_ids_that_do_not_fit(bad: str) -> None:
    assert any(p.field == "step_id" for p in problems(saga(step(bad))))


@pytest.mark.parametrize("good", ["a", "1", "a-b_c", "_a", "A" * 100])
def test_step_ids_that_fit(good: str) -> None:
    validate_definition(saga(step(good)))


@pytest.mark.parametrize("bad", ["", "a b", ".a", "a/b", "a\n", "a" * 101])
def test_saga_ids_that_do_not_fit(bad: str) -> None:
    assert only(saga(step("a")) | {"saga_id": bad}).field == "saga_id"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"max_parallel": 0}, "max_parallel"),
        ({"max_parallel": 201}, "max_parallel"),
        ({"max_parallel": True}, "max_parallel"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"timeout_seconds": 1e18}, "timeout_seconds"),
        ({"timeout_seconds": 5, "timeout_minutes": 5}, "timeout_seconds"),
        ({"compensation_order": "random"}, "compensation_order"),
        ({"context": []}, "context"),
    ],
)
def test_bounds_of_the_saga(more: dict[str, Any], field: str) -> None:
    assert only(saga(step("a"), **more)).field == field


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"retry_count": -1}, "retry_count"),
        ({"retry_count": 1.5}, "retry_count"),
        ({"critical": "no"}, "critical"),
        ({"dependencies": "a"}, "dependencies"),
        ({"approval": {"stag": "x"}}, "approval.stag"),
        ({"pivot": True, "critical": False}, "critical"),
        ({"compensation_action": WAIT}, "compensation_action.type"),
        ({"compensation_action": {"type": "saga", "definition": "x"}}, "compensation_action.type"),
        ({"probe_action": {**CALL, "expect": "x"}}, "probe_action.expect"),
        ({"idempotency_key": "{secret:X}"}, "idempotency_key"),
        ({"output_schema": []}, "output_schema"),
    ],
)
def test_bounds_of_a_step(more: dict[str, Any], field: str) -> None:
    found = only(saga(step("a", CALL, **more)))
    assert (found.step, found.field) == ("a", field)
    assert found.remedy


def test_actions_of_later_releases_say_so() -> None:
    found = only(saga(step("a", {"type": "event"})))
    assert found.field == "forward_action.type"
    assert "later release" in found.message


GATE = {"type": "approval", "approvers": ["bob"]}


@pytest.mark.parametrize(
    ("action", "more", "field"),
    [
        (WAIT, {"approval": {}}, "approval"),
        (GATE, {"approval": {}}, "approval"),
        (GATE, {"critical": False}, "critical"),
        (GATE, {"probe_action": CALL}, "probe_action"),
        ({**GATE, "policy": "p"}, {}, "forward_action.approvers"),
        ({**GATE, "approvers": []}, {}, "forward_action.approvers"),
        ({**GATE, "descriptoin": "x"}, {}, "forward_action.descriptoin"),
        ({**GATE, "context": {"key": "{secret:KEY}"}}, {}, "forward_action"),
        (CALL, {"approval": {"context": {"key": "{later.id}"}}, "compensation_action": CALL}, ""),
    ],
)
def test_gates(action: dict[str, Any], more: dict[str, Any], field: str) -> None:
    if not field:
        assert problems(saga(step("a", action, **more), step("later", CALL)))[0].field == "approval"
        return
    found = only(saga(step("a", action, **more)))
    assert (found.step, found.field) == ("a", field) and found.remedy


@pytest.mark.parametrize(
    ("action", "field"),
    [
        ({}, "forward_action.type"),
        ({"type": "api_call"}, "forward_action.url"),
        ({"type": "api_call", "url": "/relative"}, "forward_action.url"),
        ({"type": "api_call", "url": "ftp://x/"}, "forward_action.url"),
        ({"type": "api_call", "url": "https://"}, "forward_action.url"),
        ({"type": "api_call", "url": "{scheme}://x/"}, "forward_action.url"),
        ({"type": "api_call", "url": "https://x:{secret:P}@y/"}, "forward_action.url"),
        ({**CALL, "expected_status": 99}, "forward_action.expected_status"),
        ({**CALL, "expected_status": []}, "forward_action.expected_status"),
        ({**CALL, "headers": {"X": None}}, "forward_action.headers.X"),
        ({"type": "script"}, "forward_action.script"),
        ({"type": "script", "script": "x", "env": {"A": "{"}}, "forward_action.env"),
        ({"type": "wait"}, "forward_action"),
        ({"type": "wait", "seconds": "5"}, "forward_action.seconds"),
        ({"type": "wait", "seconds": -1}, "forward_action.seconds"),
        ({"type": "wait", "days": 300, "hours": 24 * 300}, "forward_action"),
        ({"type": "wait", "seconds": "{x} s"}, "forward_action.seconds"),
        ({"type": "wait", "seconds": True}, "forward_action.seconds"),
        ({"type": "wait", "seconds": "{x}{y}"}, "forward_action.seconds"),
        ({"type": "wait", "seconds": "{x()}"}, "forward_action.seconds"),
        ({"type": "wait", "until": "tomorrow"}, "forward_action.until"),
        ({"type": "wait", "until": "2026-07-01T08:00:00"}, "forward_action.until"),
        ({"type": "wait", "until": 5}, "forward_action.until"),
        ({"type": "wait", "until": ""}, "forward_action.until"),
        ({"type": "wait", "until": "2026-07-01T08:00:00Z", "days": 1}, "forward_action.until"),
        ({"type": "saga"}, "forward_action.definition"),
        ({"type": "saga", "definition": "no such/id"}, "forward_action.definition"),
        ({"type": "task", "handler": ""}, "forward_action.handler"),
        ({"type": "task", "x": {"y": ["{a()}"]}}, "forward_action.x"),
        ({"type": "task", "x": "{{secret:X}}"}, "forward_action.x"),
    ],
)
def test_problems_inside_an_action(action: dict[str, Any], field: str) -> None:
    found = problems(saga(step("a", action)))
    assert {p.field for p in found} == {field}, [str(p) for p in found]
    assert all(p.step == "a" and p.remedy for p in found)


def test_header_and_variable_names() -> None:
    assert problems(saga(step("a", {**CALL, "headers": {"X\r\nY": "1"}})))
    assert problems(saga(step("a", {"type": "script", "script": "x", "env": {"A=B": "1"}})))


def test_a_typing_slip_in_a_required_key_is_named() -> None:
    assert "'scrip'" in only(saga(step("a", {"type": "script", "scrip": "x"}))).remedy
    assert "'second'" in only(saga(step("a", {"type": "wait", "second": 5}))).remedy


def test_a_step_can_name_only_steps_before_it() -> None:
    using = {**CALL, "payload": {"x": "{b.id}"}}
    assert only(saga(step("a", using), step("b", CALL))).step == "a"
    validate_definition(saga(step("b", CALL), step("a", using)))
    found = only(saga(step("b", CALL), step("a", using, dependencies=[])))
    assert "'b'" in found.message
    assert "dependencies" in found.remedy


def test_only_a_compensation_sees_its_own_step() -> None:
    own = {**CALL, "method": "DELETE", "url": "https://x/{a.id}"}
    validate_definition(saga(step("a", CALL, compensation_action=own)))
    assert "own step" in only(saga(step("a", own))).message
    assert "own step" in only(saga(step("a", CALL, probe_action=own))).message


def test_script_text_is_no_template() -> None:
    validate_definition(saga(step("a", {"type": "script", "script": "awk '{print $1}' ${HOME}"})))


def test_a_group_must_stand_in_a_row_unless_dependencies_say_it_all() -> None:
    found = only(saga(step("a", parallel_group="g"), step("b"), step("c", parallel_group="g")))
    assert found.field == "parallel_group"
    scattered = [step(s, dependencies=[], parallel_group="g" if s != "b" else "h") for s in "abc"]
    validate_definition(saga(*scattered))


def test_a_child_saga_undoes_itself() -> None:
    child = {"type": "saga", "definition": "other"}
    assert only(saga(step("a", child, compensation_action=CALL))).field == "compensation_action"
    assert only(saga(step("a", child, probe_action=CALL))).field == "probe_action"


def test_a_definition_written_in_place_is_checked_too() -> None:
    child = saga(step("x", dependencies=["y"]), nam="?")
    found = problems(saga(step("a", {"type": "saga", "definition": child})))
    assert {(p.step, p.field) for p in found} == {("a/x", "dependencies"), ("a", "forward_action.definition.nam")}


def test_a_child_keeps_its_own_templates() -> None:
    child = saga(step("x", CALL), step("y", {**CALL, "payload": "{x.id}"}))
    validate_definition(saga(step("a", {"type": "saga", "definition": child})))


# --- bounds of the whole ---------------------------------------------------------------------------------------------


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def test_nesting_up_to_50_levels() -> None:
    validate_definition(saga(step("a"), context={"x": nested(48)}))
    assert "50" in only(saga(step("a"), context={"x": nested(49)})).message


@pytest.mark.slow
def test_objects_without_end_are_refused_at_once() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert "nested" in only(saga(step("a"), context={"x": endless})).message
    bomb: list[object] = [1]
    for _ in range(30):
        bomb = [bomb] * 10
    assert "1 MiB" in only(saga(step("a"), context={"x": bomb})).message


def test_size_up_to_1_mib() -> None:
    validate_definition(saga(step("a"), context={"x": "x" * 1_048_000}))
    assert "1 MiB" in only(saga(step("a"), context={"x": "x" * 1_048_576})).message
    assert "1 MiB" in only(saga(step("a"), context={"x": "ü" * 600_000})).message


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), {1: 2}, {"a", "b"}, b"x", "a\x00b", "\ud800", object()])
def test_what_json_or_a_database_does_not_know(bad: object) -> None:
    found = problems(saga(step("a"), context={"x": [bad]}))
    assert all(p.field.startswith("context.x[0]") for p in found)


def test_a_graph_with_too_many_edges_is_refused_before_it_is_built() -> None:
    steps = [step(f"s{n}", parallel_group="a" if n < 4000 else "b") for n in range(8000)]
    assert "16000000" in only(saga(*steps)).message


def test_very_many_problems_are_counted() -> None:
    found = problems(saga(*[step(f"s{n}", dependencies=[f"x{n}"]) for n in range(1000)]))
    assert len(found) == 201
    assert "800 more" in found[-1].message


# --- a single action -------------------------------------------------------------------------------------------------


def test_a_single_action_is_checked_like_one_in_a_step() -> None:
    assert validate_action(CALL, undo=True).type == "api_call"
    with pytest.raises(DefinitionErrors, match=r"step 'a', alternative\.type: .*wait.* is not allowed here"):
        validate_action(WAIT, undo=True, field="alternative", step="a")
    with pytest.raises(DefinitionErrors, match="action.url: is not an http"):
        validate_action({"type": "api_call", "url": "x"})
    with pytest.raises(DefinitionErrors, match="must be a mapping"):
        validate_action("DELETE https://x")


# --- hash and schema -------------------------------------------------------------------------------------------------


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text("abc é", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=6,
)
ACTIONS = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("api_call"), "url": st.sampled_from(["https://x/a", "{base}/b", "http://h:1/{x}?q={y.0}"])},
        optional={
            "method": st.sampled_from(["GET", "POST", "DELETE"]),
            "payload": JSON,
            "headers": st.dictionaries(st.sampled_from(["X-A", "B"]), st.text("ab{}", max_size=0) | st.integers()),
            "expected_status": st.integers(200, 299) | st.lists(st.integers(200, 299), min_size=1, max_size=2),
            "query": st.dictionaries(st.sampled_from(["q", "r"]), st.integers() | st.just(["{x}", 1]), max_size=2),
            "auth": st.sampled_from([{"bearer": "{secret:KEY}"}, {"basic": ["u", "{secret:KEY}"]}]),
            "fail_on": st.integers(100, 599) | st.just([400, 422]) | st.just("body.ok == false"),
        },
    ),
    st.fixed_dictionaries({"type": st.just("task")}, optional={"handler": st.just("a.b"), "database": JSON}),
    st.fixed_dictionaries({"type": st.just("script"), "script": st.just("x {y")}, optional={"env": st.just({"A": 1})}),
)


@st.composite
def sagas(draw: st.DrawFn) -> dict[str, Any]:
    count = draw(st.integers(1, 5))
    steps = []
    for number in range(count):
        more = draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "name": st.text("ab", max_size=3),
                    "critical": st.booleans(),
                    "retry_count": st.integers(0, 100),
                    "timeout_seconds": st.integers(1, 60) | st.floats(0.5, 60),
                    "compensation_action": ACTIONS,
                    "probe_action": ACTIONS,
                    "default_output": JSON,
                    "dependencies": st.lists(
                        st.sampled_from([f"s{n}" for n in range(number)]) if number else st.nothing(), unique=True
                    ),
                },
            )
        )
        steps.append({"step_id": f"s{number}", "forward_action": draw(ACTIONS), **more})
    context = draw(st.dictionaries(st.text("abc", max_size=3), JSON, max_size=2))
    return {"saga_id": "s", "steps": steps, "context": context}


@given(sagas())
def test_the_published_schema_accepts_what_the_validator_accepts(data: dict[str, Any]) -> None:
    validate_definition(data)
    SCHEMA.validate(data)


@given(sagas())
def test_a_json_round_trip_keeps_the_hash(data: dict[str, Any]) -> None:
    made = validate_definition(data)
    stored = json.loads(json.dumps(made.model_dump(mode="json", exclude_unset=True)))
    again = SagaDefinition.model_validate(stored)
    assert definition_hash(again) == definition_hash(made) == definition_hash(validate_definition(stored))
    assert definition_hash(SagaDefinition.model_validate_json(made.model_dump_json())) == definition_hash(made)


def test_a_default_that_is_written_out_changes_nothing_and_all_else_does() -> None:
    plain = definition_hash(validate_definition(saga(step("a", CALL))))
    assert plain == definition_hash(validate_definition(saga(step("a", CALL, critical=True), max_parallel=100)))
    assert plain != definition_hash(validate_definition(saga(step("a", CALL, critical=False))))
    assert plain != definition_hash(validate_definition(saga(step("a", CALL, dependencies=[]))))


def test_the_schema_refuses_unknown_keys_and_both_timeouts() -> None:
    for bad in (saga(step("a", x=1)), saga(step("a"), x=1), saga(step("a", timeout_seconds=1, timeout_minutes=1))):
        assert not SCHEMA.is_valid(bad)
    assert SCHEMA.is_valid(saga(step("a", {"type": "task", "x": 1})))


def test_every_field_of_the_schema_is_described() -> None:
    schema = json_schema()
    assert schema["title"] == "Saga definition"
    models = [schema, *schema["$defs"].values()]
    undescribed = [
        f"{model.get('title')}.{name}"
        for model in models
        for name, field in model.get("properties", {}).items()
        if name != "type" and "description" not in field
    ]
    assert undescribed == []


# --- warnings --------------------------------------------------------------------------------------------------------


def warned(*steps: dict[str, Any], **more: Any) -> str:
    return "\n".join(warnings_of(validate_definition(saga(*steps, **more))))


def needs(step_id: str, *names: str) -> str:
    """The remark on names that the definition's own context lacks."""
    return "\n".join(f"step '{step_id}': {{{name}}} is not in the context: each start has to give it" for name in names)


def test_a_step_that_cannot_be_undone() -> None:
    post = {**CALL, "method": "POST"}
    assert "no compensation_action" in warned(step("a", post))
    assert warned(step("a", post, compensation_action=CALL)) == ""
    assert warned(step("a", post, pivot=True)) == ""
    assert warned(step("a", CALL)) == ""


def test_a_compensation_that_needs_an_output_which_may_never_come() -> None:
    undo = {"type": "api_call", "method": "DELETE", "url": "https://x/{id}/{region}"}
    post = {**CALL, "method": "POST", "payload": "{region}"}
    assert "uses {id};" in warned(step("a", post, compensation_action=undo))
    region = {"region": "eu"}
    assert warned(step("a", post, compensation_action=undo, probe_action=CALL), context=region) == ""
    assert warned(step("a", post, compensation_action=undo), context={"id": 1, **region}) == ""


@pytest.mark.parametrize(
    ("undo", "forward", "context", "own"),
    [
        ("{id}", "", {}, ["id"]),
        ("{charge.id}", "", {}, ["charge.id"]),
        ("{reserve}", "", {}, ["reserve"]),
        ("{reserve.id}", "", {}, []),
        ("{id}", "{id}", {}, []),
        ("{order.id}", "{order.total}", {}, ["order.id"]),
        ("{id}", "", {"id": 1}, []),
    ],
)
def test_the_names_that_only_the_own_output_can_fill_in(
    undo: str, forward: str, context: dict[str, Any], own: list[str]
) -> None:
    """The warning, the plan and the rendering agree."""
    post = {**CALL, "method": "POST", "payload": forward}
    about = {**CALL, "payload": undo}
    charge = step("charge", post, compensation_action=about)
    definition = validate_definition(saga(step("reserve"), charge, context=context))
    assert list(own_names(definition, definition.steps[1], definition.steps[1].compensation_action)) == own
    assert compile_plan(definition).steps["charge"].undo_needs_output is bool(own)
    assert ("if the outcome stays unknown" in "".join(warnings_of(definition))) is bool(own)
    upstream: tuple[dict[str, Any], ...] = ({"reserve": {"id": 1, "order": {"id": 1}, "reserve": 1}},)
    names = forward_names(definition.steps[1])
    scope = Scope(step_id="charge", upstream=upstream, context=context, shared=names)
    if own:
        with pytest.raises(OwnMissing):
            render_action(about, scope)
    else:
        assert render_action(about, scope)["payload"] == 1


def test_an_id_that_may_be_of_two_things() -> None:
    post = {**CALL, "method": "POST", "payload": "{id} {order_id}"}
    assert "write {a.id} for" in warned(step("a", post, compensation_action={**post, "payload": "{id}"}))
    assert "write " not in warned(step("a", post, compensation_action={**post, "payload": "{order_id}"}))
    given = {"id": 1, "order_id": 2}
    assert warned(step("a", post, compensation_action={**post, "payload": "{id}"}), context=given) == ""


def test_a_probe_that_cannot_ask() -> None:
    post = {**CALL, "method": "POST"}
    assert "cannot ask" in warned(step("a", post, probe_action={**CALL, "payload": "{id}"}))
    assert "cannot ask" not in warned(step("a", post, probe_action={**CALL, "payload": "{id}"}), context={"id": 1})


def test_smaller_doubts() -> None:
    assert "without a handler" in warned(step("a", {"type": "task"}, compensation_action=CALL))
    assert "did you mean 'payload'" in only(saga(step("a", {**CALL, "paylod": 1}))).remedy
    assert "default_output" in warned(step("a", default_output=1))
    assert "retry_count has no effect" in warned(step("a", retry_count=1))
    assert "context.key" in warned(step("a"), context={"key": "{secret:X}"})
    assert "payload with GET" in warned(step("a", {**CALL, "payload": 1}))
    assert "no template" in warned(step("a", {"type": "script", "script": "echo {city}"}), context={"city": "x"})
    assert "no template" not in warned(step("a", {"type": "script", "script": "echo ${city}"}), context={"city": "x"})


@pytest.mark.parametrize("where", ["forward_action", "approval"])
def test_a_key_is_likened_to_those_that_can_stand_there(where: str) -> None:
    wrong: dict[str, Any] = {"aprovers": ["bob"]}
    asked = {"type": "approval", **wrong} if where == "forward_action" else {**CALL}
    found = problems(saga(step("a", asked, **({} if where == "forward_action" else {"approval": wrong}))))
    assert (f"{where}.aprovers", "did you mean 'approvers'?") in [(one.field, one.remedy) for one in found]


@pytest.mark.parametrize("word", ["saga_id", "saga", "definitoin"])
def test_a_child_named_by_another_word_is_told_the_right_one(word: str) -> None:
    child = {"type": "saga", word: "nope"}
    with pytest.raises(DefinitionErrors) as error:
        validate_definition({"saga_id": "p", "steps": [{"step_id": "a", "forward_action": child}]})
    (problem,) = error.value.problems
    assert problem.field.endswith("definition") and problem.remedy == f"did you mean it by '{word}'?"


# --- what would take minutes to read ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["{" * 400_000, '{s["' * 200_000, "{v}" * 200_000, "{{v}}" * 100_000])
def test_texts_full_of_braces_are_refused_before_they_are_read(text: str) -> None:
    found = only(saga(step("a", {**CALL, "url": f"https://x/{text}"}), context={"v": 1}))
    assert found.field == "steps" and "opening braces" in found.message and "5000" in found.message


def test_braces_of_scripts_and_of_the_context_do_not_count() -> None:
    script = {"type": "script", "script": "{" * 6_000}
    validate_definition(saga(step("a", script), context={"v": "{" * 6_000}))
    assert "opening braces" in only(saga(step("a", {**CALL, "payload": {"{" * 6_000: 1}}))).message


def test_closing_braces_and_a_task_s_payload_of_the_name_script_count() -> None:
    assert "6000 closing braces" in only(saga(step("a", {**CALL, "payload": "}" * 6_000}))).message
    task = {"type": "task", "handler": "x", "script": "{v}" * 6_000}
    assert "6000 opening braces" in only(saga(step("a", task), context={"v": 1})).message


def test_dependencies_have_a_bound_in_all() -> None:
    steps = [step(f"s{n}", dependencies=[f"s{before}" for before in range(n)]) for n in range(210)]
    assert "dependencies" in only(saga(*steps)).message
    validate_definition(saga(*steps[:150]))


def test_a_long_list_of_slips_is_told_without_comparing_each_with_each() -> None:
    context = {f"abcdefghijklmnopqrst{n:04d}": 1 for n in range(3_000)}
    text = "".join(f"{{zyxwvutsrqponmlkjih{n}}}" for n in range(1_000))
    definition = validate_definition(saga(step("a", {**CALL, "payload": text}), context=context))  # no slip is near
    assert len(needs_of(definition)) == 1_000
    with compared() as names:
        misspelt(definition)
        missing(needs_of(definition), context)
    assert 0 < len(names) <= 2 * MOST_WORK // PER_PAIR


def test_slips_in_the_names_of_outputs_are_told_without_comparing_each_with_each() -> None:
    schema = {"type": "object", "properties": {f"abcdefgh{n:04d}": {} for n in range(2_000)}}
    first = step("a", CALL, output_schema={**schema, "additionalProperties": False})
    slips = {f"k{n}": f"{{a.abcdefgi{n:04d}}}" for n in range(150)}
    with compared() as names:
        found = problems(saga(first, step("b", {"type": "task", "handler": "x", **slips}, dependencies=["a"])))
    assert (
        len(found) == 150 and "did you mean" in found[0].remedy and found[-1].remedy.startswith("its output has: abc")
    )
    assert 0 < len(names) <= MOST_WORK // PER_PAIR


def test_a_list_of_known_names_is_told_with_each_of_them_cut() -> None:
    schema = {"type": "object", "properties": {"x" * 50_000: {}}, "additionalProperties": False}
    (problem,) = problems(saga(step("a", CALL, output_schema=schema), step("b", {**CALL, "payload": "{a.id}"})))
    assert problem.remedy == f"its output has: response, {'x' * 80}"


@pytest.mark.parametrize("name", ["forward_action", "a_step", "key"])
def test_slips_of_every_sort_have_one_budget(name: str) -> None:
    """Anagrams of what is known are what costs most."""
    rng = random.Random(4)

    def slip(word: str) -> str:
        return "".join(rng.sample(word, len(word)))

    many = {
        "forward_action": [
            step(f"s{n}", {"type": slip("api_call"), slip("method"): 1, "url": ""}) for n in range(2_000)
        ],
        "a_step": [step(f"s{n}", CALL, **{slip("compensation_action"): n for _ in range(5)}) for n in range(1_000)],
        "key": [step(f"s{n:04d}" + "abcdefgh" * 10, CALL, dependencies=[slip("abcdefgh" * 10)]) for n in range(500)],
    }
    with compared() as names:
        assert len(problems(saga(*many[name]))) == 201
    assert 0 < len(names) <= MOST_WORK // PER_LOOK


@contextmanager
def compared() -> Iterator[list[str]]:
    """The names that are looked at for a nearest one, at the letters of more than those of a fitting length."""
    found: list[str] = []
    look = difflib.SequenceMatcher.set_seq1

    def counted(self: difflib.SequenceMatcher[str], a: str) -> None:
        found.append(a)
        look(self, a)

    with mock.patch.object(difflib.SequenceMatcher, "set_seq1", counted):
        yield found


@pytest.mark.parametrize("field", ["timeout_seconds", "timeout_minutes", "retry_count"])
def test_a_number_that_is_larger_than_any_double_is_a_problem_of_its_field(field: str) -> None:
    found = problems(saga(step("a", CALL, **{field: 10**400})))
    assert any(problem.field == field and "too large" in problem.message for problem in found)

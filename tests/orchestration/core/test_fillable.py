"""Placeholders that nothing can fill are found before anything runs."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.core.definition import DefinitionErrors, validate_definition, warnings_of
from orchestration.core.definition.fillable import misnamed, missing, misspelt, needs_of


def step(name: str, text: str = "", **more: Any) -> dict[str, Any]:
    action = {"type": "api_call", "method": "POST", "url": "http://x/a", "payload": {"v": text}}
    return {"step_id": name, "forward_action": action, "compensation_action": {"type": "task", "handler": "h"}} | more


def saga(*steps: dict[str, Any], **context: Any) -> dict[str, Any]:
    return {"saga_id": "s", "steps": list(steps), "context": context}


CLOSED: dict[str, Any] = {"type": "object", "properties": {"id": {}}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("first", "text"),
    [
        ({"output_schema": CLOSED}, "{a.di}"),
        ({"forward_action": {"type": "wait", "seconds": 1}, "compensation_action": None}, "{a.id}"),
        (
            {"forward_action": {"type": "saga", "definition": "kid"}, "compensation_action": None},
            "{a.stat}",
        ),
    ],
)
def test_what_the_named_step_cannot_give_is_refused(first: dict[str, Any], text: str) -> None:
    with pytest.raises(DefinitionErrors) as refused:
        validate_definition(saga(step("a", **first), step("b", text)))
    (problem,) = refused.value.problems
    assert (problem.step, problem.field, problem.value) == ("b", "forward_action", text)
    assert "the output of 'a' has no" in problem.message and problem.remedy


def test_a_step_alone_is_all_of_its_output_for_steps_after_it() -> None:
    first, last = step("a", output_schema=CLOSED), step("z", output_schema=CLOSED)
    definition = validate_definition(saga(first, step("b", "{a}", output_schema=CLOSED), last))
    assert needs_of(definition) == []
    definition = validate_definition(saga(first, step("b", "{z}", output_schema=CLOSED), last))
    assert [(need.step, need.name) for need in needs_of(definition)] == [("b", "z")]


def test_what_may_come_from_an_open_output_is_no_problem() -> None:
    for text in ("{a.anything}", "{anything}", "{order}"):
        definition = validate_definition(saga(step("a"), step("b", text), orders=1))
        assert needs_of(definition) == [] and misspelt(definition) == []


def test_a_name_that_only_the_start_can_give_is_a_remark_and_is_checked_there() -> None:
    definition = validate_definition(saga(step("a", "{address.city}"), svc=1))
    assert misspelt(definition) == []
    assert any("{address.city} is not in the context: each start" in line for line in warnings_of(definition))
    needs = needs_of(definition)
    assert missing(needs, {"address": {"city": "x"}}) == []
    (gone,), (short,) = missing(needs, {"adress": {"city": "x"}}), missing(needs, {"address": {"zip": 1}})
    assert (gone.step, gone.field, gone.value) == ("a", "forward_action", "{address.city}")
    assert gone.remedy == "did you mean 'adress'?" and short.message == "context.address has no city"


@pytest.mark.parametrize("known", [True, False])
def test_a_slip_is_told_with_the_name_that_was_meant(known: bool) -> None:
    context = {"order": "o-1"} if known else {"order1": 1, "customer_id": 2}
    found = misspelt(validate_definition(saga(step("a", "{ordr}" if known else "{order2} {customer_name}"), **context)))
    assert [(one.step, one.remedy.partition("?")[0]) for one in found] == (
        [("a", "did you mean 'order'")] if known else []
    )


def test_a_child_in_place_gets_what_its_parent_gives_and_nothing_else() -> None:
    child = saga(step("c", "{sku} {order}"), order=1)
    parent = {"step_id": "p", "forward_action": {"type": "saga", "definition": child, "context": {"sku": "{x}"}}}
    validate_definition(saga(parent, x=1))
    parent["forward_action"] = {"type": "saga", "definition": child}
    with pytest.raises(DefinitionErrors, match="step 'p/c'"):
        validate_definition(saga(parent, x=1))


def test_braces_and_dollars_of_other_languages_are_remarked_on() -> None:
    """sagas/15."""
    action = {"type": "api_call", "method": "POST", "url": "{svc}/echo"}
    payload = {"spaced": "{{ order }}", "tight": "{{order}}", "dollar": "${order}", "{sku}": 2, "json": "{{}}"}
    first = step("a", forward_action=action | {"payload": payload})
    found = warnings_of(validate_definition(saga(first, svc="http://x", order="o-1", sku="A1")))
    assert [line.partition(" is sent")[0] for line in found if " is sent as" in line] == [
        "step 'a': forward_action: {{ order }}", "step 'a': forward_action: {{order}}",
        "step 'a': forward_action: ${order}",
    ]  # fmt: skip


def test_what_is_given_is_given_by_steps_before_alone() -> None:
    wait: dict[str, Any] = {"forward_action": {"type": "wait", "seconds": 1}, "compensation_action": None}
    first, after, beside = step("a", **wait), step("b", "{until}"), step("c", "{until}")
    definition = validate_definition(saga(first, {**after, "dependencies": ["a"]}, {**beside, "dependencies": []}))
    assert [(need.step, need.name) for need in needs_of(definition)] == [("c", "until")]


def test_a_key_that_a_start_most_likely_meant_otherwise_is_told() -> None:
    own = {"trip": None, "city": "Zug", "address_2": None}
    (slip,) = misnamed(own, {"trp": "T1", "ctiy": "Bern", "address_1": "x", "other": 1})
    assert (slip.field, slip.remedy) == ("context.trp", "did you mean 'trip'?")
    assert misnamed(own, {"trip": "T1", "trp": "T1"}) == []

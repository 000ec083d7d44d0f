"""A spec: what is taken, and that what is not names field, value and remedy."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st
from pydantic import ValidationError

from orchestration.core.agent.agent_type import AgentType
from orchestration.core.definition import DefinitionErrors
from orchestration.core.project import ProjectSpec, validate_config, validate_spec
from orchestration.core.project.quantities.amounts import amount_of
from orchestration.core.project.quantities.durations import seconds_of
from orchestration.core.project.spec_checks import budget_of, timeline_seconds, warnings_of_budgets
from tests.orchestration.core.project.specs import (
    ECOMMERCE,
    ECOMMERCE_CONFIG,
    WEB_APP,
    WEB_APP_CONFIG,
    either,
    given,
    spec,
    task,
)


def problems(data: object) -> dict[str, str]:
    with pytest.raises(DefinitionErrors) as refused:
        validate_spec(data)
    for one in refused.value.problems:
        assert one.field and one.message and one.remedy
    return {one.field: f"{one.value} {one.message}; {one.remedy}" for one in refused.value.problems}


@pytest.mark.parametrize(("data", "config"), [(ECOMMERCE, ECOMMERCE_CONFIG), (WEB_APP, WEB_APP_CONFIG)])
def test_the_seeds_projects_are_taken_word_for_word(data: dict[str, Any], config: dict[str, Any]) -> None:
    made = ProjectSpec(**data)
    assert validate_spec(made) == validate_spec(made.plain()) == made
    assert validate_config(config).approval_timeout == config["approval_timeout"]


def test_what_the_seed_says_is_understood() -> None:
    made = ProjectSpec(**ECOMMERCE)
    budget = budget_of(made)
    assert timeline_seconds(made) == 28 * 86400 and budget is not None and budget.value == 50000
    assert made.agents_required == (AgentType.CLAUDE, AgentType.AIDER, AgentType.CODEX)
    assert made.success_criteria[2].text == "Test coverage >= 85%" and made.success_criteria[2].check is None
    assert made.approval_gates[0].name == "Architecture Review"


def test_types_of_agents_are_taken_in_any_case() -> None:
    assert spec(agents_required=["claude", "Aider"]).agents_required == (AgentType.CLAUDE, AgentType.AIDER)
    assert "did you mean 'CODEX'?" in problems(given(agents_required=["CODX"]))["agents_required[0]"]


def test_nothing_else_is_taken_and_every_problem_is_named_at_once() -> None:
    found = problems(
        {
            "project_id": "a b", "requirments": ["x"], "agents_required": [], "constraints": {"timeline": "soon"},
            "success_criteria": [{"text": "x", "chek": "y"}, {"text": "z", "check": " "}],
            "approval_gates": [{"nam": "q"}],
        }
    )  # fmt: skip
    assert set(found) == {
        "project_id", "name", "requirements", "requirments", "agents_required", "constraints.timeline",
        "success_criteria[0].chek", "success_criteria[1].check", "approval_gates[0].nam", "approval_gates[0].name",
    }  # fmt: skip
    assert "did you mean 'requirements'?" in found["requirments"]
    assert "did you mean 'check'?" in found["success_criteria[0].chek"]
    assert "give a shell command" in found["success_criteria[1].check"]


def test_from_python_an_unknown_field_is_refused_where_it_is_written() -> None:
    with pytest.raises(ValidationError):
        spec(requirement=["x"])


@pytest.mark.parametrize("requirement", ["", "   ", "x" * 2001])
def test_an_empty_requirement_is_refused(requirement: str) -> None:
    assert "requirements[1]" in problems(given(requirements=["A cart", requirement]))


def test_a_requirement_is_said_once() -> None:
    assert set(problems(given(requirements=["A cart", " a CART "]))) == {"requirements[0]", "requirements[1]"}


@pytest.mark.parametrize("project_id", ["a..b", "a.", "a.lock", "-a", "a/b", "x" * 81])
def test_a_project_id_can_be_in_the_name_of_a_branch(project_id: str) -> None:
    assert set(problems(given(project_id=project_id))) == {"project_id"}


def test_what_agents_and_people_read_holds_no_secret() -> None:
    found = problems(
        given(description="use {secret:KEY}", success_criteria=[{"text": "x", "check": "curl {secret:KEY}"}])
    )
    assert set(found) == {"description", "success_criteria[0]"}
    call = {"api_call": {"url": "https://x.example", "headers": {"X-Key": "{secret:KEY}"}}}
    validate_spec(given(success_criteria=[{"text": "x", "check": call}]))


def test_large_specs_are_refused_before_they_are_looked_at() -> None:
    with pytest.raises(DefinitionErrors, match="is larger than"):
        validate_spec(given(constraints={"x": "y" * 600_000}))
    with pytest.raises(DefinitionErrors, match="is no mapping"):
        validate_spec(["x"])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2 weeks", 14 * 86400), ("10d", 10 * 86400), ("1 week, 2 days", 9 * 86400), ("3 days and 4 hours", 273600),
        ("90 min", 5400), ("1.5h", 5400), ("one month", 30 * 86400), ("1w2d", 9 * 86400), (" Two Weeks ", 14 * 86400),
    ],
)  # fmt: skip
def test_a_timeline_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["soon", "", "2", "weeks", "2 weeks maybe", "-1 day", "400 days", "0d", 10, None, "1 2 d"]
)
def test_what_is_no_time_is_refused_and_not_ignored(text: object) -> None:
    with pytest.raises(ValueError, match="is"):
        seconds_of(text)


@pytest.mark.parametrize(
    ("given_amount", "value", "currency"),
    [
        (10000, "10000", ""), (99.5, "99.5", ""), ("10,000 USD", "10000", "USD"), ("$10k", "10000", "USD"),
        ("2.5k EUR", "2500", "EUR"), ("€ 1 000 000", "1000000", "EUR"), ("1M", "1000000", ""),
        ("5000 euros", "5000", "EUR"), ("0.005", "0.005", ""), ("1,234,567.5", "1234567.5", ""),
        ("12'500 CHF", "12500", "CHF"),
    ],
)  # fmt: skip
def test_a_budget_is_a_number_or_money(given_amount: object, value: str, currency: str) -> None:
    found = amount_of(given_amount)
    assert (found.value, found.currency) == (Decimal(value), currency)


@pytest.mark.parametrize(
    "wrong",
    [
        "lots", "", 0, -5, True, float("nan"), "$5 EUR", "1e400", [1], "10 20 x", 1e300,
        "1,5", "0,50 USD", "2,50 €", "5.000 EUR", "1,50,000", "10,00", "1 5", "5.000,50",  # elsewhere another amount
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="is|names|two ways"):
        amount_of(wrong)


@examples(st.text(max_size=60))
def test_reading_times_and_amounts_ends_in_a_value_or_a_value_error(text: str) -> None:
    for read in (seconds_of, amount_of):
        try:
            read(text)
        except ValueError:
            continue


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from([*ProjectSpec.model_fields, "taks", ""])


@examples(st.dictionaries(KEYS, JSON, max_size=6))
def test_whatever_is_given_is_a_spec_or_problems_with_a_remedy(more: dict[str, Any]) -> None:
    made, wrong = either(given(**more))
    assert (made is None) == bool(wrong) and all(one.message for one in wrong)


def test_a_plan_by_hand_is_checked_with_the_spec() -> None:
    found = problems(
        given(
            tasks=[
                task("a", "R1", dependencies=["b"]), task("b", "R3", dependencies=["a", "c"], agent_type="codex"),
                task("b", files=["../x", "src"]), task("b-merge", dependencies=["b-merge"]),
            ]
        )
    )  # fmt: skip
    assert "'b' is the id of 2 tasks" in found["tasks"] or "cannot be the id" in found["tasks"]
    assert (
        "is no requirement" in found["tasks[1].requirements"] and "they are: R1, R2" in found["tasks[1].requirements"]
    )
    assert "is no task of the plan" in found["tasks[1].dependencies"]
    assert "is not among agents_required" in found["tasks[1].agent_type"]
    assert "leads out of the repository" in found["tasks[2].files"]
    assert "is the task itself" in found["tasks[3].dependencies"]
    assert "is served by no task (R2)" in found["requirements[1]"]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("aproval_timeout", 3, "did you mean 'approval_timeout'?"), ("deployment_strategy", "blue-gren", "one of: "),
        ("max_parallel_agents", 0, "greater than or equal to 1"), ("parallel_execution", "yes", "true or false"),
        ("approval_timeout", 0, "greater than 0"), ("budget", "much", "write a number"),
        ("max_attempts", 11, "1 to 10"),
        ("deployment", 3, "mapping"), ("merge", "later", "by_hand"), ("stall_seconds", -1, "seconds without an event"),
    ],
)  # fmt: skip
def test_a_configuration_key_that_is_wrong_names_itself(key: str, value: object, said: str) -> None:
    with pytest.raises(DefinitionErrors) as refused:
        validate_config({key: value})
    (one,) = refused.value.problems
    assert one.field == f"config.{key}" and said in f"{one.message}; {one.remedy}"


def test_a_strategy_may_be_written_with_hyphens() -> None:
    assert validate_config({"deployment_strategy": "Blue-Green"}).deployment_strategy == "blue_green"


def test_a_budget_in_a_currency_that_no_cost_is_told_in_is_warned_of() -> None:
    wanted = spec(constraints={"budget": "500 EUR"})
    (told,) = warnings_of_budgets(wanted, amount_of("$400"))
    assert "EUR" in told and "compared as they are" in told
    assert warnings_of_budgets(spec(constraints={"budget": "$500"}), amount_of(400)) == []

"""Which keys a start may give in its context and its configuration."""

from __future__ import annotations

from typing import Any

import pytest

from foundation.errors import BadInput
from orchestration.models import Run
from orchestration.runs import start_run
from orchestration.runs.new_run import Parent
from orchestration.runs.start_inputs import usable
from tests.system.contract.cast import account
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _somebody_who_decides(db: None) -> None:
    """Tests that flush the database take the roles with them, and a gate wants one."""
    account("bob")


def step(name: str, text: str = "", **more: Any) -> dict[str, Any]:
    action = {"type": "api_call", "method": "POST", "url": "https://x.example/a", "payload": {"v": text}}
    return {"step_id": name, "forward_action": action, **more}


def saga(*steps: dict[str, Any], **context: Any) -> dict[str, Any]:
    return {"saga_id": "s", "steps": list(steps), "context": context}


def started(definition: dict[str, Any], parent: Parent | None = None, **context: Any) -> Run:
    return start_run(definition=definition, actor=ADA, engine="celery", context=context, parent=parent)[0]


def parent_of_child() -> Parent:
    return Parent(run=started(saga(step("kid"))), step_id="kid", iteration=1, attempt=1)


@pytest.mark.parametrize(
    "later",
    [
        step("b", "{emails}"),
        step("b", "{emails.0}"),
        step("b", compensation_action={"type": "task", "handler": "h", "to": "{emails}"}),
        step("b", probe_action={"type": "task", "handler": "h", "{emails}": 1}),
        step("b", idempotency_key="{emails}"),
        step("b", approval={"description": "{emails}"}),
    ],
)
def test_a_key_that_a_template_names_is_no_slip(later: dict[str, Any]) -> None:
    assert started(saga(step("a"), later, email=None), emails=["x@example.com"]).context["emails"]


def test_a_key_that_no_template_names_is_a_slip_still() -> None:
    with pytest.raises(BadInput) as refused:
        started(saga(step("a"), step("b", "{email}"), email=None), emails=["x@example.com"])
    (problem,) = refused.value.problems
    assert (problem["field"], problem["remedy"]) == ("context.emails", "did you mean 'email'?")


def test_a_child_is_not_refused_for_what_looks_like_a_slip_while_its_parent_runs() -> None:
    child = started(saga(step("a"), address=None), parent_of_child(), addresses=["x"])
    assert child.context == {"address": None, "addresses": ["x"]}


FORGED = {"price": 1, "forged": True}


@pytest.mark.parametrize(
    "later",
    [
        step("pay", "{quote}"),
        step("pay", "for {quote}"),
        step("pay", '{["quote"]}'),
        step("pay", idempotency_key="{quote}"),
        step("pay", approval={"description": "Pay?", "context": {"offer": "{quote}"}}),
        step("pay", compensation_action={"type": "task", "handler": "h", "v": "{quote}"}),
        step("pay", probe_action={"type": "task", "handler": "h", "v": "{quote}"}),
    ],
)
def test_a_start_cannot_stand_for_the_whole_output_of_a_step(later: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        started(saga(step("quote"), step("between"), later, city=None), quote=FORGED, city="Zug")
    (problem,) = refused.value.problems
    assert problem["field"] == "context.quote" and "another name" in str(problem["remedy"])
    assert not Run.objects.exists()
    assert started(saga(step("quote"), step("between"), later, city=None), city="Zug")


def test_a_start_cannot_stand_for_the_output_that_an_undo_takes() -> None:
    undo = {"type": "task", "handler": "h", "v": "{quote}"}
    with pytest.raises(BadInput, match=r"context\.quote: is a step's id"):
        started(saga(step("quote", compensation_action=undo)), quote=FORGED)


@pytest.mark.parametrize(
    "definition",
    [
        saga(step("quote"), step("pay", "{quote}"), quote=None),  # the author's own, as documented
        saga(step("quote"), step("pay", "{quote.price}")),  # names the step, whatever the context has
        saga(step("quote"), step("pay", "{price}")),
        saga(step("quote", "{quote}"), step("pay", "{quote}")),  # the step takes it from the start, as do others
        saga(step("quote", "{quote}")),
        saga(step("quote"), step("pay", "{quote}", dependencies=[])),  # not after it: the context is meant
        saga(step("quote", "{quote}", compensation_action={"type": "task", "handler": "h", "v": "{quote}"})),
        saga(step("pay", compensation_action={"type": "task", "handler": "h", "v": "{quote}"}), step("quote")),
    ],
)
def test_a_key_with_a_step_s_id_is_taken_where_it_replaces_no_output(definition: dict[str, Any]) -> None:
    assert started(definition, quote=FORGED).context["quote"] == FORGED


def test_a_child_of_a_run_in_flight_is_given_what_its_parent_says() -> None:
    definition = saga(step("quote"), step("pay", "{quote}"))
    assert started(definition, parent_of_child(), quote=FORGED).context == {"quote": FORGED}


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("timeout_second", "timeout_seconds"),
        ("max-parallel", "max_parallel"),
        ("retry_failed_step", "retry_failed_steps"),
    ],
)
def test_a_key_of_the_configuration_that_is_nearly_one_is_refused(slip: str, meant: str) -> None:
    with pytest.raises(BadInput) as refused:
        start_run(definition=saga(step("a")), actor=ADA, engine="celery", config={slip: 5})
    assert refused.value.field == f"config.{slip}" and meant in refused.value.remedy
    assert not Run.objects.exists()


def test_other_keys_of_the_configuration_are_kept() -> None:
    run, _ = start_run(definition=saga(step("a")), actor=ADA, engine="celery", config={"team": "shop", "priority": 3})
    assert run.config == {"team": "shop", "priority": 3}


def test_a_run_that_was_started_with_a_slip_before_is_restarted_without_it() -> None:
    run, _ = start_run(definition=saga(step("a")), actor=ADA, engine="celery", config={"team": "shop"})
    Run.objects.filter(pk=run.pk).update(config={"team": "shop", "timeout_second": 5})
    assert usable(Run.objects.get(pk=run.pk).config) == {"team": "shop"}

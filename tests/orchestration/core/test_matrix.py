"""The failure matrix says what the flow then does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.core.definition import validate_definition
from orchestration.core.enums import RunStatus
from orchestration.core.saga import failure_matrix as matrix
from orchestration.core.saga.compile import compile_plan
from orchestration.core.saga.failure_matrix import failure_matrix
from orchestration.core.saga.flow import decide
from orchestration.core.saga.plan import Plan
from tests.orchestration.core.saga_world import make_plan


def test_each_mishap_of_each_step() -> None:
    plan = make_plan(
        {"a": (), "b": ("a",), "p": ("b",), "c": ("p",)},
        a={"has_undo": True}, b={"has_undo": True, "retry_count": 2}, p={"pivot": True},
    )  # fmt: skip
    rows = {(row.step_id, row.mishap): row for row in failure_matrix(plan)}
    assert len(rows) == 12
    assert rows["a", "fails"].status is RunStatus.ROLLED_BACK
    assert rows["a", "fails"].undone == ()
    assert rows["b", "times out"].undone == (("b",), ("a",))
    assert rows["a", "abort after"].undone == (("b",), ("a",))
    assert rows["b", "abort after"].status is RunStatus.HELD, "the pivot was in flight and succeeded"
    assert (rows["p", "fails"].status, rows["p", "fails"].stands) == (RunStatus.ROLLED_BACK, ())
    assert rows["p", "times out"].status is RunStatus.HELD
    assert (rows["c", "fails"].status, rows["c", "fails"].stands) == (RunStatus.HELD, ("a", "b", "p"))
    assert rows["p", "abort after"].refused and rows["p", "abort after"].status is RunStatus.COMPLETED


def test_an_undo_that_needs_its_own_output_waits_for_a_person_after_a_timeout() -> None:
    plan = make_plan(
        {"a": (), "b": ("a",), "c": ("b",)},
        a={"has_undo": True}, b={"has_undo": True, "undo_needs_output": True}, c={"has_undo": True},
    )  # fmt: skip
    rows = {(row.step_id, row.mishap): row for row in failure_matrix(plan)}
    assert (rows["b", "times out"].status, rows["b", "times out"].stands) == (RunStatus.NEEDS_ATTENTION, ("a", "b"))
    assert rows["b", "fails"].status is RunStatus.ROLLED_BACK
    assert rows["b", "abort after"].undone == (("c",), ("b",), ("a",)), "an output that came is there"
    assert rows["c", "times out"].status is RunStatus.ROLLED_BACK


def test_the_example_s_matrix_promises_nothing_that_a_run_does_not_keep() -> None:
    text = (Path(__file__).parents[3] / "examples" / "order.yaml").read_text()
    definition = validate_definition(yaml.safe_load(text))
    rows = {(row.step_id, row.mishap): row for row in failure_matrix(compile_plan(definition))}
    by_id = [step.step_id for step in definition.steps if step.compensation_action and "{id}" in str(step)]
    assert by_id and all(rows[step_id, "times out"].status is RunStatus.NEEDS_ATTENTION for step_id in by_id)


def test_a_gate_that_is_shut_is_waited_at_when_the_abort_comes() -> None:
    plan = make_plan(
        {"approve": (), "charge": ("approve",)}, approve={"gate": True, "gated": True},
        charge={"gated": True, "has_undo": True},
    )  # fmt: skip
    rows = {(row.step_id, row.mishap): row for row in failure_matrix(plan)}
    assert (rows["approve", "abort after"].status, rows["approve", "abort after"].undone) == (RunStatus.ROLLED_BACK, ())
    assert rows["charge", "times out"].undone == (("charge",),) and rows["charge", "fails"].undone == ()


def chained(steps: int, retry_count: int) -> Plan:
    names = [f"s{number}" for number in range(steps)]
    order: dict[str, tuple[str, ...]] = {
        name: tuple(names[max(0, number - 1) : number]) for number, name in enumerate(names)
    }
    settings: dict[str, Any] = {name: {"has_undo": True, "retry_count": retry_count} for name in names}
    return make_plan(dict(order), **settings)


def decisions_of(plan: Plan, budget: int | None, monkeypatch: pytest.MonkeyPatch) -> int:
    counted = [0]

    def counting(*given: Any) -> Any:
        counted[0] += 1
        return decide(*given)

    monkeypatch.setattr(matrix, "decide", counting)
    matrix.bounded_matrix(plan, budget)
    monkeypatch.undo()
    return counted[0]


@pytest.mark.parametrize("steps", [100, 1000, 3000])
def test_the_work_has_a_bound_and_what_is_left_out_is_said(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, budget = chained(steps, 10), 300_000
    work = decisions_of(plan, budget, monkeypatch)
    assert work <= budget // (steps + matrix.PRICE)
    found = matrix.bounded_matrix(plan, budget)
    shown = list(dict.fromkeys(row.step_id for row in found.rows))
    assert found.left_out and [*shown, *found.left_out] == list(plan.order) and len(found.rows) == 3 * len(shown)


def test_tries_cost_nothing_and_change_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = chained(12, 0), chained(12, 100)
    assert decisions_of(few, None, monkeypatch) == decisions_of(many, None, monkeypatch)
    assert failure_matrix(few) == failure_matrix(many)
    assert matrix.bounded_matrix(few, 10**9).left_out == ()

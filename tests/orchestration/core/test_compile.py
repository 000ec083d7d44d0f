"""Rule 1 (order), levels, and what a plan knows of its steps."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.core.dag import Place, ancestors_of, dependencies_of
from orchestration.core.definition import validate_definition
from orchestration.core.saga.compile import ancestors_by_distance, compile_plan
from orchestration.core.saga.plan import Plan
from tests.orchestration.core.seed_sagas import DEPLOYMENT, ONBOARDING

WAIT: dict[str, Any] = {"type": "wait", "seconds": 0}


def step(step_id: str, forward: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"step_id": step_id, "forward_action": WAIT if forward is None else forward, **more}


def plan_of(*steps: dict[str, Any], **more: Any) -> Plan:
    return compile_plan(validate_definition({"saga_id": "s", "steps": list(steps), **more}))


def edges(plan: Plan) -> dict[str, tuple[str, ...]]:
    return {step_id: found.dependencies for step_id, found in plan.steps.items()}


# --- order -----------------------------------------------------------------------------------------------------------


def test_without_dependencies_a_step_waits_for_the_one_before_it() -> None:
    assert edges(plan_of(step("a"), step("b"), step("c"))) == {"a": (), "b": ("a",), "c": ("b",)}


def test_given_dependencies_are_taken_exactly_and_none_means_at_once() -> None:
    plan = plan_of(step("a"), step("b", dependencies=[]), step("c", dependencies=["a", "b", "a"]))
    assert edges(plan) == {"a": (), "b": (), "c": ("a", "b")}
    assert plan.roots == ("a", "b")


def test_a_group_waits_for_what_precedes_it_and_the_next_step_for_all_of_it() -> None:
    plan = plan_of(step("a"), step("b", parallel_group="g"), step("c", parallel_group="g"), step("d"))
    assert edges(plan) == {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}


def test_one_group_follows_another() -> None:
    plan = plan_of(*[step(s, parallel_group="g" if s in "ab" else "h") for s in "abcd"])
    assert edges(plan) == {"a": (), "b": (), "c": ("a", "b"), "d": ("a", "b")}


def test_a_member_with_dependencies_of_its_own_still_belongs_to_the_group() -> None:
    steps = [step("a"), step("b", parallel_group="g"), step("c", parallel_group="g", dependencies=[]), step("d")]
    assert edges(plan_of(*steps)) == {"a": (), "b": ("a",), "c": (), "d": ("b", "c")}


def test_a_step_may_wait_for_one_further_down_the_list() -> None:
    plan = plan_of(step("a", dependencies=["b"]), step("b", dependencies=[]))
    assert (plan.steps["a"].level, plan.steps["b"].level, plan.order) == (1, 0, ("a", "b"))


def test_the_seeds_deployment() -> None:
    plan = compile_plan(validate_definition(DEPLOYMENT))
    assert [found.level for found in plan.steps.values()] == [0, 1, 1, 2, 3]
    assert plan.steps["deploy_database_migrations"].dependents == ("deploy_auth_service", "deploy_api_gateway")
    assert plan.steps["run_health_checks"].cancellable
    assert not plan.steps["run_health_checks"].has_undo


def test_the_seeds_onboarding() -> None:
    plan = compile_plan(validate_definition(ONBOARDING))
    assert edges(plan) == {"create_account": (), "setup_billing": ("create_account",)}
    assert plan.steps["create_account"].retry_count == 3


# --- what a plan knows of a step -------------------------------------------------------------------------------------


def test_needs_are_the_earlier_steps_that_are_named() -> None:
    payload = ["{a.id}", {"x": "{b.x.y} {z} {{c.id}} {secret:A}"}]
    before = [step(name, {"type": "task", "handler": "h"}) for name in "abc"]
    plan = plan_of(*before, step("d", {"type": "task", "x": payload}, idempotency_key="k-{c.n}"))
    assert plan.steps["d"].needs == {"a", "b", "c"}


def test_a_plain_name_is_no_need_even_if_it_is_a_steps_id() -> None:
    assert plan_of(step("a"), step("b", {"type": "task", "x": "{a}"})).steps["b"].needs == frozenset()


def test_waits_children_and_undo() -> None:
    plan = plan_of(
        step("w", {"type": "wait", "minutes": 1, "seconds": 30}),
        step("s", {"type": "saga", "definition": "other"}),
        step("a", {"type": "api_call", "url": "http://x/"}, compensation_action={"type": "task", "handler": "h"}),
        step("n", critical=False, default_output={}),
    )
    wait, child, call, optional = plan.steps.values()
    assert (wait.wait_seconds, wait.cancellable, wait.external, wait.has_undo) == (90.0, True, False, False)
    assert (child.wait_seconds, child.cancellable, child.external, child.has_undo) == (None, True, True, True)
    assert (call.cancellable, call.external, call.has_undo) == (False, False, True)
    assert (optional.critical, optional.has_default) == (False, True)


def test_retry_policies_travel() -> None:
    policy: dict[str, Any] = {
        "retry_count": 2, "compensation_retry_count": 9, "backoff_seconds": 0.5, "compensation_backoff_seconds": 3,
        "backoff_limit_seconds": 10,
    }  # fmt: skip
    found = plan_of(step("a", **policy)).steps["a"]
    assert {name: getattr(found, name) for name in policy} == policy


def test_the_runs_own_limits_win() -> None:
    definition = validate_definition({"saga_id": "s", "steps": [step("a")], "timeout_minutes": 1, "max_parallel": 7})
    assert (compile_plan(definition).timeout_seconds, compile_plan(definition).max_parallel) == (60, 7)
    plan = compile_plan(definition, max_parallel=3, timeout_seconds=1.5)
    assert (plan.timeout_seconds, plan.max_parallel) == (1.5, 3)


# --- random graphs ---------------------------------------------------------------------------------------------------


@st.composite
def graphs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Steps in a random order, each with given dependencies on others that cannot make a circle."""
    names = [f"s{number}" for number in range(draw(st.integers(1, 12)))]
    steps = [
        step(name, dependencies=draw(st.lists(st.sampled_from(names[:number]), unique=True)) if number else [])
        for number, name in enumerate(names)
    ]
    return draw(st.permutations(steps))


@given(graphs())
def test_levels_and_dependents_agree_with_the_dependencies(steps: list[dict[str, Any]]) -> None:
    plan = plan_of(*steps)
    assert plan.order == tuple(made["step_id"] for made in steps)
    for step_id, found in plan.steps.items():
        assert plan.order[found.index] == step_id
        assert found.level == max((plan.steps[d].level + 1 for d in found.dependencies), default=0)
        assert all(step_id in plan.steps[d].dependents for d in found.dependencies)
        assert all(step_id in plan.steps[d].dependencies for d in found.dependents)
        assert (step_id in plan.roots) == (not found.dependencies)


@given(graphs())
def test_ancestors_stand_once_at_their_shortest_distance(steps: list[dict[str, Any]]) -> None:
    plan = plan_of(*steps)
    bits = ancestors_of(edges(plan))
    for step_id in plan.steps:
        levels = ancestors_by_distance(plan, step_id)
        flat = [found for level in levels for found in level]
        assert len(flat) == len(set(flat))
        assert set(flat) == {other for n, other in enumerate(plan.steps) if bits[step_id] >> n & 1}
        for near, far in pairwise(levels):
            assert all(any(f in plan.steps[n].dependencies for n in near) for f in far)
        assert (levels[0] if levels else ()) == plan.steps[step_id].dependencies


@given(st.lists(st.sampled_from(["", "", "g", "h"]), min_size=1, max_size=12))
def test_blocks_follow_each_other_whatever_the_groups(groups: list[str]) -> None:
    found = dependencies_of([Place(f"s{n}", None, group) for n, group in enumerate(groups)])
    for n, group in enumerate(groups):
        same = n > 0 and group and group == groups[n - 1]
        if same:
            assert found[f"s{n}"] == found[f"s{n - 1}"]
        elif n:
            assert found[f"s{n}"][-1] == f"s{n - 1}"


@pytest.mark.parametrize("count", [5000])
def test_a_long_chain_compiles(count: int) -> None:
    plan = plan_of(*[step(f"s{n}") for n in range(count)])
    assert plan.steps[f"s{count - 1}"].level == count - 1

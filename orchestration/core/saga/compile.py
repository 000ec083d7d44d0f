"""Compiles a definition to the plan by which runs are decided."""

from __future__ import annotations

from collections.abc import Mapping

from orchestration.core.dag import Place, ancestors_of, dependencies_of, levels_of
from orchestration.core.definition import SagaDefinition, StepDefinition, Wait
from orchestration.core.definition.own import own_names
from orchestration.core.saga import versions
from orchestration.core.saga.plan import Plan, PlanStep
from orchestration.core.templates import action_placeholders, placeholders
from orchestration.core.templates.names import head_of, parts_of

EXTERNAL = frozenset({"saga"})
CANCELLABLE = frozenset({"script", "task", "saga", "wait", "agent"})


def compile_plan(
    definition: SagaDefinition, *, max_parallel: int | None = None, timeout_seconds: float | None = None,
    second_chances: tuple[float, ...] = (),
) -> Plan:  # fmt: skip
    """The plan of a valid definition (rule 1). The limits given here win over the definition's own.

    `second_chances`: pauses in seconds (second_chances.py).

    Raises graphlib.CycleError or KeyError for an order that `validate_definition` would have refused.
    """
    dependencies = dependencies_of([place_of(step) for step in definition.steps])
    levels, dependents = levels_of(dependencies), _turned(dependencies)
    named = _named_steps(definition, dependencies)
    steps = {
        step.step_id: _plan_step(
            step,
            index=index,
            dependencies=dependencies[step.step_id],
            dependents=dependents[step.step_id],
            level=levels[step.step_id],
            needs=named[step.step_id],
            undo_needs_output=bool(own_names(definition, step, step.compensation_action)),
        )
        for index, step in enumerate(definition.steps)
    }
    return Plan(
        steps=steps,
        roots=tuple(step_id for step_id, upstream in dependencies.items() if not upstream),
        max_parallel=definition.max_parallel if max_parallel is None else max_parallel,
        timeout_seconds=definition.effective_timeout_seconds if timeout_seconds is None else timeout_seconds,
        compensation_order=definition.compensation_order,
        order=tuple(steps),
        flow=versions.LATEST,
        second_chances=second_chances,
    )


def place_of(step: StepDefinition) -> Place:
    return Place(step.step_id, step.dependencies, step.parallel_group or "")


def ancestors_by_distance(plan: Plan, step_id: str) -> tuple[tuple[str, ...], ...]:
    """The steps this one waits for, nearest first: its dependencies, then theirs. Each stands once, where nearest."""
    seen = {step_id}
    levels: list[tuple[str, ...]] = []
    level = plan.steps[step_id].dependencies
    while level:
        seen.update(level)
        levels.append(level)
        further = dict.fromkeys(d for near in level for d in plan.steps[near].dependencies)
        level = tuple(d for d in further if d not in seen)
    return tuple(levels)


def _plan_step(
    step: StepDefinition,
    *,
    index: int,
    dependencies: tuple[str, ...],
    dependents: tuple[str, ...],
    level: int,
    needs: frozenset[str],
    undo_needs_output: bool,
) -> PlanStep:
    action = step.forward_action
    return PlanStep(
        step_id=step.step_id,
        index=index,
        dependencies=dependencies,
        dependents=dependents,
        level=level,
        needs=needs,
        critical=step.critical,
        pivot=step.pivot,
        has_undo=step.compensation_action is not None or action.type == "saga",
        undo_needs_output=undo_needs_output,
        has_default=step.default_output is not None,
        external=action.type in EXTERNAL,
        gated=step.approval is not None or action.type == "approval",
        gate=action.type == "approval",
        cancellable=action.type in CANCELLABLE,
        wait_seconds=action.total_seconds if isinstance(action, Wait) else None,
        finds_out=isinstance(action, Wait) and action.total_seconds is None,
        timeout_seconds=step.effective_timeout_seconds,
        retry_count=0 if action.type in EXTERNAL else step.retry_count,
        compensation_retry_count=step.compensation_retry_count,
        backoff_seconds=step.backoff_seconds,
        compensation_backoff_seconds=step.compensation_backoff_seconds,
        backoff_limit_seconds=step.backoff_limit_seconds,
        queue=step.effective_queue,
    )


def _turned(dependencies: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Step id → the steps that wait for it, in the definition's order."""
    dependents: dict[str, list[str]] = {step_id: [] for step_id in dependencies}
    for step_id, upstream in dependencies.items():
        for dependency in upstream:
            dependents[dependency].append(step_id)
    return {step_id: tuple(waiting) for step_id, waiting in dependents.items()}


def _named_steps(definition: SagaDefinition, dependencies: Mapping[str, tuple[str, ...]]) -> dict[str, frozenset[str]]:
    """Step id → the earlier steps whose output its forward action names, as in {create_account.user_id}."""
    bits = {step_id: 1 << index for index, step_id in enumerate(dependencies)}
    ancestors = ancestors_of(dependencies)
    found: dict[str, frozenset[str]] = {}
    for step in definition.steps:
        names = action_placeholders(step.forward_action.plain()) | placeholders(step.idempotency_key)
        if step.approval is not None:
            names |= action_placeholders(step.approval.plain())
        heads = {head_of(name) for name in names if len(parts_of(name)) > 1}
        found[step.step_id] = frozenset(head for head in heads if bits.get(head, 0) & ancestors[step.step_id])
    return found

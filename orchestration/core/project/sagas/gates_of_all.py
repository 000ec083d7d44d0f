"""Gates that name none of the tasks of an agent's plan: they stand before `verify`, and are known when the plan is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestration.core.definition import SagaDefinition, validate_definition
from orchestration.core.project.config import ProjectConfig
from orchestration.core.project.phases import BUILT, GATES, SENT_BACK, handler
from orchestration.core.project.plan import PlanGate
from orchestration.core.project.sagas.bound_to import BUILT_OUTPUT, PLAN_IN_FORCE, limits_of
from orchestration.core.project.sagas.gate_steps import gate_step
from orchestration.core.project.sagas.tasks import nothing_to_do
from orchestration.core.project.spec import ProjectSpec

SECONDS = 300.0


def asked_of_all(spec: ProjectSpec) -> dict[str, Any]:
    """The project's step that asks at them: BUILT makes its child, which is given what they are bound to."""
    return {
        "step_id": GATES,
        "forward_action": {"type": "saga", "definition": f"{{{BUILT}.gates}}", "context": _bound_to(spec)},
    }


def compile_gates_of_all(
    spec: ProjectSpec, config: ProjectConfig, gates: Sequence[PlanGate], *, reworked: int = 0
) -> SagaDefinition:
    """The child of that step. Changes that are requested at one are changes of the project, which is built on for them.

    `gates`: those of its plan that name no task. `reworked`: how often the project went back for changes.
    """
    saga_id = f"{spec.project_id[:90]}.{GATES}"
    if not gates:
        return nothing_to_do(saga_id)
    about = {key: f"{{{key}}}" for key in _bound_to(spec)}
    back = {"type": "task", "handler": handler(SENT_BACK)}
    steps: list[dict[str, Any]] = [
        {"step_id": SENT_BACK, "forward_action": back, "timeout_seconds": SECONDS, "dependencies": []}
    ]
    for one in gates:
        step = gate_step(
            one.gate_id, one.name, after=[SENT_BACK], about=about, policy=one.policy, approvers=one.approvers,
            timeout=config.approval_timeout, rework=SENT_BACK,
        )  # fmt: skip
        step["forward_action"] |= {"reworked": reworked} if reworked else {}
        steps.append(step)
    return validate_definition({"saga_id": saga_id, "name": "Gates of the whole", "steps": steps})


def _bound_to(spec: ProjectSpec) -> dict[str, Any]:
    return {**PLAN_IN_FORCE, **BUILT_OUTPUT, **limits_of(spec)}

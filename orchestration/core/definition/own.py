"""Which names of a compensation or a probe can only mean the step's own output (rule 3).

An unknown outcome leaves no output, and no other step's may ever stand in for it: it would name another object.
"""

from __future__ import annotations

from collections.abc import Collection

from orchestration.core.definition.actions import UndoAction
from orchestration.core.definition.models import SagaDefinition, StepDefinition
from orchestration.core.templates import action_placeholders, placeholders
from orchestration.core.templates.names import parts_of


def forward_names(step: StepDefinition) -> frozenset[str]:
    """The names that a step looks up to act: a compensation may use them with the same meaning."""
    return action_placeholders(step.forward_action.plain()) | placeholders(step.idempotency_key)


def own_names(definition: SagaDefinition, step: StepDefinition, action: UndoAction | None) -> tuple[str, ...]:
    """Names in an action about the step's own effect that neither its forward action uses, nor the context or a named
    step has."""
    if action is None:
        return ()
    others = {other.step_id for other in definition.steps} - {step.step_id}
    names = action_placeholders(action.plain()) - forward_names(step)
    return tuple(sorted(name for name in names if _is_own(name, others, definition.context)))


def _is_own(name: str, others: Collection[str], context: Collection[str]) -> bool:
    head, *rest = parts_of(name)
    return head not in context and not (rest and head in others)

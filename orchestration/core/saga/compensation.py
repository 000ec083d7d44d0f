"""The undo set, its waves, and what an abort now would do (rule 7). Engine and preview use the same functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestration.core.enums import StepStatus, UndoStatus
from orchestration.core.saga.plan import Plan, PlanStep
from orchestration.core.saga.state import SagaState, StepState


def in_waves(plan: Plan, step_ids: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Step ids grouped by level, highest first; inside a wave in the definition's order."""
    by_level: dict[int, list[str]] = {}
    for step_id in step_ids:
        by_level.setdefault(plan.steps[step_id].level, []).append(step_id)
    return tuple(
        tuple(sorted(by_level[level], key=lambda step_id: plan.steps[step_id].index))
        for level in sorted(by_level, reverse=True)
    )


def needs_undo(plan: Plan, step_id: str, step: StepState) -> bool:
    """Whether an abort has anything of it to undo: of its latest iteration, or of one before a rerun."""
    return bool(step.executed or step.others) and plan.steps[step_id].has_undo


def is_owed(step: StepState) -> bool:
    """Its undo is still to come, on its way, or failed and not answered by a person."""
    if step.undo is UndoStatus.FAILED:
        return step.resolution is None
    return step.undo in (UndoStatus.PENDING, UndoStatus.COMPENSATING)


def undo_waves(plan: Plan, state: SagaState) -> tuple[tuple[str, ...], ...]:
    """What is left to undo once the run aborts (or, while it undoes, from here on)."""
    if state.undoing:
        return in_waves(plan, (s for s, step in state.steps.items() if is_owed(step)))
    return in_waves(plan, (s for s, step in state.steps.items() if needs_undo(plan, s, step)))


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortPreview:
    """`waves` to undo in order; `without_undo` ran (or may have) and will stand; `in_flight` is drained first, and
    undone too if it happened; `pivot` names the step that forbids an abort ('' if none); `earlier`: of the steps that
    a rerun repeated, the iterations before whose effects stand too."""

    waves: tuple[tuple[str, ...], ...]
    without_undo: tuple[str, ...]
    in_flight: tuple[str, ...]
    pivot: str = ""
    earlier: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def preview_abort(plan: Plan, state: SagaState) -> AbortPreview:
    steps = [(step_id, state.steps[step_id]) for step_id in plan.order if step_id in state.steps]
    before = {s: [e.iteration for e in step.others if e.iteration < step.iteration and e.stands] for s, step in steps}
    return AbortPreview(
        waves=undo_waves(plan, state),
        without_undo=tuple(s for s, step in steps if step.effects and _stays(plan.steps[s])),
        in_flight=tuple(s for s, step in steps if step.status is StepStatus.RUNNING),
        pivot=reached_pivot(plan, state),
        earlier={step_id: tuple(iterations) for step_id, iterations in before.items() if iterations},
    )


def _stays(step: PlanStep) -> bool:
    """Whether what it does stands for good: it acts, and has no undo."""
    return step.acts and not step.has_undo


def reached_pivot(plan: Plan, state: SagaState) -> str:
    """The pivot that has succeeded, in whichever iteration; '' if none has."""
    if not state.pivoted:
        return ""
    pivots = [(step_id, step) for step_id, step in state.steps.items() if plan.steps[step_id].pivot]
    now = [step_id for step_id, step in pivots if step.status is StepStatus.SUCCEEDED]
    return next(iter([*now, *(step_id for step_id, step in pivots if step.others)]), "")

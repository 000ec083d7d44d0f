"""How a run ended, in words: the error that stopped it, and what its end state must not hide (rule 11)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from orchestration.core.enums import Answer, Outcome, Purpose, RunStatus, StepStatus
from orchestration.core.saga.plan import Plan
from orchestration.core.saga.state import SagaState, StepState
from orchestration.ledger.loaded import ACTION, loaded
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.ledger.store import load_state
from orchestration.models import Command, Run

PROBLEM_STATUSES = (StepStatus.FAILED, StepStatus.UNKNOWN, StepStatus.SKIPPED)
CLOSED_BY = {
    Answer.DONE_BY_HAND: "was undone by hand",
    Answer.ALTERNATIVE: "was undone by an alternative",
    Answer.ACCEPT_LOSS: "still stands: its loss was accepted",
}


def warnings_of_run(run: Run, plan: Plan, state: SagaState) -> list[str]:
    """What an end state must not hide: undone by hand, standing without undo, failed but not critical."""
    found = [line for step_id in plan.order for line in _warnings_of_step(run, plan, state, step_id)]
    return found + [line for child in _ended_children(run) for line in _of_child(child)]


def _ended_children(run: Run) -> Iterable[Run]:
    rows = loaded(run, "children")
    if rows is None:
        return run.children.exclude(finished_at=None).order_by("id")
    return [child for child in rows if child.finished_at is not None]


def _of_child(child: Run) -> list[str]:
    """A child's warnings, and those of the runs below it, each under the name of its run."""
    if child.kind not in Run.SAGAS:
        return []
    found = warnings_of_run(child, compiled_plan(child), load_state(child))
    return [line if line.startswith("child run ") else f"child run '{child.workflow_id}': {line}" for line in found]


def _warnings_of_step(run: Run, plan: Plan, state: SagaState, step_id: str) -> Iterator[str]:
    step, plan_step = state.step(step_id), plan.steps[step_id]
    for effect in step.effects:
        name = f"step '{step_id}'" + (f" in iteration {effect.iteration}" if step.iteration > 1 else "")
        if effect.resolution in CLOSED_BY:
            yield f"{name} {CLOSED_BY[effect.resolution]}"
        stopped = run.status == RunStatus.FORCE_STOPPED
        if (state.undoing or stopped) and plan_step.acts and not plan_step.has_undo:
            yield f"{name} {_stands(step, effect.iteration)}"
        if stopped and plan_step.has_undo and effect.stands and effect.resolution is None:
            yield f"{name} may still stand: the run was force-stopped"
    if run.status == RunStatus.COMPLETED and step.status in PROBLEM_STATUSES:
        yield f"step '{step_id}' is {step.status}, and the run went on without it"


def _stands(step: StepState, iteration: int) -> str:
    """A timeout, or answers that say nothing, leave open whether it ran."""
    if iteration == step.iteration and step.status is not StepStatus.SUCCEEDED:
        return "may have run and has no compensation: it may still stand"
    return "ran and has no compensation: it still stands"


def action_rows(run: Run) -> Iterable[Command]:
    """The rows of its attempts, oldest first."""
    rows = loaded(run, "commands")
    return run.commands.filter(kind=ACTION).order_by("id") if rows is None else [r for r in rows if r.kind == ACTION]


def attempts_of(run: Run) -> dict[str, list[Command]]:
    """The rows of its steps' attempts, oldest first."""
    found: dict[str, list[Command]] = {}
    for row in action_rows(run):
        found.setdefault(row.step_id, []).append(row)
    return found


def forward_error(step: StepState, forward: Sequence[Command]) -> str:
    """The error of a step's last attempt. A parked attempt, such as one behind a closed gate, has none."""
    if not forward or step.status is StepStatus.SUCCEEDED or forward[-1].outcome == Outcome.PARKED:
        return ""
    return str(forward[-1].error)


def run_error(run: Run, plan: Plan, state: SagaState, attempts: Mapping[str, Sequence[Command]]) -> str:
    """The engine's trouble, or the first error that stopped the run; '' of one that completed."""
    if run.status == RunStatus.COMPLETED:
        return ""
    if run.error and not run.finished_at:
        return run.error
    for step_id in plan.order:
        step = state.step(step_id)
        error = forward_error(step, forward_attempts(step, attempts.get(step_id, ())))
        if step.status in (StepStatus.FAILED, StepStatus.UNKNOWN) and error:
            return f"step '{step_id}': {error}"
    return run.error


def forward_attempts(step: StepState, attempts: Sequence[Command]) -> list[Command]:
    """Those of the iteration in hand."""
    return [row for row in attempts if row.purpose == Purpose.FORWARD and row.iteration == step.iteration]

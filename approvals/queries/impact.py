"""What a yes and a no would lead to in the present state: first in the request's chain, then in the run that waits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from approvals.core.approval.plan import Plan, in_order
from approvals.core.approval.quorum import missing
from approvals.core.approval.state import State
from approvals.core.approval.timers import SAYS_YES
from approvals.core.enums import AtTheEnd, Status
from approvals.models import Request
from approvals.queries.impact_at_work import asked_at_work, of_a_no, of_a_yes, of_silence
from approvals.queries.requests import name_in
from orchestration.core.saga.compensation import preview_abort
from orchestration.core.saga.plan import Plan as RunPlan
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.ledger.store import load_state
from orchestration.models import Run

MOST_NAMES = 8
SILENCE = {
    AtTheEnd.REJECT: "If nobody decides in time, it counts as a no.",
    AtTheEnd.APPROVE: SAYS_YES,
    AtTheEnd.HOLD: "If nobody decides in time, it is held until an administrator names others.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """Sentences for a yes and for a no; `silence`: what happens when nobody decides in time, '' where nothing does."""

    yes: tuple[str, ...]
    no: tuple[str, ...]
    silence: str = ""


def consequences(request: Request, plan: Plan, state: State) -> Consequences:
    """The consequences of a decision on this request, for its page."""
    run = request.run.parent
    stage = plan.stages[state.stage]
    if run is None:
        told = f"{request.requester} is told{', and so is the address that it gave' if request.endpoint_id else ''}"
        yes, no = [f"{told}. No run of Zen waits for it."], [f"{told}."]
    elif run.finished_at:
        over = f"The run {run} has ended already ({run.status}); nothing would follow."
        yes, no = [over], [over]
    else:
        steps = compiled_plan(run)
        yes, no = _forward(request, run, steps), _backward(request.step_id, run, steps)
    silence = SILENCE[stage.at_the_end] if stage.expires or stage.at_the_end is AtTheEnd.HOLD else ""
    if run is not None and not run.finished_at and asked_at_work(request):
        if silence and stage.at_the_end is AtTheEnd.REJECT:
            silence = of_silence(request, run, no, silence)
        yes, no = of_a_yes(request, run), of_a_no(request, run, no)
    return Consequences(
        yes=(*_chain(request, plan, state), *yes),
        no=(*_end(plan, state), *no),
        silence=silence if run or silence else "",
    )


def _chain(request: Request, plan: Plan, state: State) -> list[str]:
    lines = []
    still = missing(plan, state) if state.status is Status.PENDING else 0
    if still > 1:
        lines.append(f"This stage needs {still} more approvals.")
    for stage in plan.stages[state.stage + 1 :]:
        names = [name_in(request, person) for person in in_order(stage.people - plan.barred)]
        lines.append(f"Then stage '{stage.name}' is asked: {_list(names)}.")
    if plan.cooling_off_seconds and state.status is not Status.COOLING_OFF:
        lines.append(f"Before the yes holds, it can be objected to for {_length(plan.cooling_off_seconds)}.")
    return lines


def _end(plan: Plan, state: State) -> list[str]:
    if plan.stages[state.stage].reject_on == "impossible" and state.status is not Status.COOLING_OFF:
        return ["A no ends it only when too few are left who could say yes. Once it ends:"]
    return []


def _forward(request: Request, run: Run, steps: RunPlan) -> list[str]:
    step = steps.steps.get(request.step_id)
    if step is None:
        return [f"The run {run} goes on."]
    lines = []
    if not step.gate:
        action = request.content.get("action")
        lines.append(f"Step '{step.step_id}' of run {run} is performed{_does(action)}.")
    state = load_state(run)
    settled = {other for other in steps.order if state.step(other).settled} | {step.step_id}
    ready = [s for s in step.dependents if settled.issuperset(steps.steps[s].dependencies)]
    later = [s for s in step.dependents if s not in ready]
    start = "After it comes" if not step.gate else f"Run {run} goes on with"
    if ready:
        lines.append(f"{start} {_steps(ready)}.")
    if later:
        lines.append(f"{_steps(later).capitalize()} also waits for other steps.")
    return lines if step.dependents else [*lines, f"No other step of run {run} waits for it."]


def _does(action: object) -> str:
    if not isinstance(action, dict):
        return ""
    shown = [str(action.get(key, ""))[:200] for key in ("method", "url", "task", "saga_id", "script")]
    what = " ".join(part for part in shown if part)
    return f": {what}" if what else f" ({action.get('type', 'action')})"


def _backward(step_id: str, run: Run, steps: RunPlan) -> list[str]:
    """What follows in a run, and in those that it is a part of, when this step of it fails."""
    step = steps.steps.get(step_id)
    if step is not None and not step.critical:
        return [f"Run {run} goes on without step '{step_id}', which is not critical."]
    preview = preview_abort(steps, load_state(run))
    if preview.pivot:
        return [f"Step '{preview.pivot}' was the point of no return: run {run} undoes nothing, and is held."]
    waves = [[s for s in wave if s != step_id] for wave in preview.waves]
    done = [_list(wave) for wave in waves if wave]
    lines = [f"Run {run} rolls back" + (f" and undoes, in this order: {' → '.join(done)}." if done else ".")]
    if not done:
        lines.append("There is nothing to undo yet.")
    running = [s for s in preview.in_flight if s != step_id]
    if running:
        lines.append(
            f"{_steps(running).capitalize()} is still running: it ends first, and is undone too if it happened."
        )
    stands = [s for s in preview.without_undo if s != step_id and steps.steps[s].acts]
    if stands:
        lines.append(f"Has no undo and stays as it is: {_list(stands)}.")
    above = run.parent
    if above is None or above.finished_at:
        return lines
    return [*lines, *_backward(run.parent_step, above, compiled_plan(above))]


def _steps(names: list[str]) -> str:
    return f"step {_list([repr(name) for name in names])}"


def _list(names: Iterable[str]) -> str:
    found = list(names)
    more = f" and {len(found) - MOST_NAMES} more" if len(found) > MOST_NAMES else ""
    return ", ".join(found[:MOST_NAMES]) + more


def _length(seconds: float) -> str:
    for size, word in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {word}"
    return f"{seconds:.0f} seconds"

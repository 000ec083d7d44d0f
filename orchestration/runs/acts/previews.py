"""What a verb would do to a run now, in words and as JSON. Changes nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from foundation.identity import permissions
from foundation.identity.actor import Actor
from orchestration.core.enums import Answer, Verb
from orchestration.core.saga.compensation import preview_abort
from orchestration.core.saga.guards import descendants
from orchestration.ledger.plan_cache import compiled_plan, definition_of
from orchestration.ledger.store import load_state
from orchestration.models import Run
from orchestration.ports import kept
from orchestration.runs.acts.events import MOST_NAMED, event_for, get_run, refuse_unknown_step
from orchestration.runs.acts.legal import why_never, why_not


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a verb would do now. `refusal`: why it is not legal; '' if it is.

    `lines`: the consequences in words; `data`: the same as JSON.
    """

    verb: str
    workflow_id: str
    refusal: str = ""
    lines: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)


def preview(*, workflow_id: str, verb: Verb, actor: Actor, step_id: str = "", answer: str = "") -> Preview:
    """What the verb would do to the run in its present state. Changes nothing.

    Raises:
        NotFound: there is no such run.
        NotAllowed: the actor has no role.
        BadInput: there is no such step.
    """
    permissions.require(actor, "view")
    run = get_run(workflow_id)
    why = why_never(run, verb)
    if kept(run.kind) and why:
        return Preview(verb=verb, workflow_id=workflow_id, refusal=why)
    if verb is Verb.RESTART:
        lines = [f"a new run of {run.definition} starts with the same context, on the {run.engine} engine"]
        return Preview(verb=verb, workflow_id=workflow_id, refusal=why, lines=[*lines, *_keys_again(run)])
    plan, state = compiled_plan(run), load_state(run)
    refuse_unknown_step(plan, verb, step_id)
    asked_answer = answer or (Answer.RETRY if verb is Verb.RESOLVE else "")
    event = event_for(verb=verb, actor=actor, step_id=step_id, note="preview", answer=asked_answer)
    lines, data = consequences(verb, plan, state, step_id)
    why = why_not(run, verb, event, state)
    return Preview(verb=verb, workflow_id=workflow_id, refusal=why, lines=lines, data=data)


def _keys_again(run: Run) -> list[str]:
    """What a restart sends under keys that the run has used."""
    definition = definition_of(run)
    own = [step.step_id for step in definition.steps if step.idempotency_key]
    if definition.idempotency_scope != "business" or not own:
        return []
    named = ", ".join(own[:MOST_NAMED])
    return [f"the same idempotency keys are sent again (idempotency_scope: business), so it may do nothing: {named}"]


def consequences(verb: Verb, plan: Any, state: Any, step_id: str) -> tuple[list[str], dict[str, Any]]:
    """What the verb would do in this state, in words and as JSON. RESTART has none in the run itself."""
    abort = preview_abort(plan, state)
    number, named = len(abort.in_flight), ", ".join(abort.in_flight)
    flying = f"{number} attempt{'s' * (number != 1)} in progress: {named}" if number else "No attempts in progress"
    if verb is Verb.ABORT:
        lines = [f"wave {n}: undo {', '.join(wave)}" for n, wave in enumerate(abort.waves, 1)] or ["nothing to undo"]
        if abort.without_undo:
            lines.append(f"has no undo and will stand: {', '.join(abort.without_undo)}")
        if abort.earlier:
            before = [f"{s} ({', '.join(map(str, iterations))})" for s, iterations in abort.earlier.items()]
            lines.append(f"the same holds for iterations before a rerun: {'; '.join(before)}")
        if abort.in_flight:
            lines.append(f"in flight, undone too if it happened: {', '.join(abort.in_flight)}")
        return lines, asdict(abort)
    if verb is Verb.FORCE_STOP:
        standing = [s for wave in abort.waves for s in wave] + list(abort.without_undo)
        return [f"nothing is undone; what stands: {', '.join(standing) or 'nothing'}", flying], asdict(abort)
    if verb is Verb.RERUN:
        after = [step_id, *(s for s in plan.order if s in descendants(plan, step_id))]
        repeated = [s for s in after if state.step(s).executed]
        return [f"runs again: {', '.join(after)}", f"effects that are repeated: {', '.join(repeated)}"], {
            "again": after,
            "repeated": repeated,
        }
    if verb is Verb.HOLD:
        lines = ["no new step starts; open approvals, timers and child runs go on", flying]
        limit = plan.timeout_seconds
        if limit is not None:
            lines.append("the run's own time limit goes on, and would undo what was done")
        return lines, {"in_flight": list(abort.in_flight)}
    if verb is Verb.RESOLVE:
        later = [f"undo {', '.join(left)}" for wave in abort.waves if (left := [s for s in wave if s != step_id])]
        return [f"the failed compensation of '{step_id}' is answered, and the rollback goes on", *later], asdict(abort)
    return [_IN_WORDS[verb].format(step=step_id)], {}


_IN_WORDS = {
    Verb.RELEASE: "the run goes on: steps that were held back start",
    Verb.RETRY: "step '{step}' is tried again, with the same idempotency key",
    Verb.SKIP: "the run goes on without step '{step}'; steps that need its output get its default, or are skipped too",
}

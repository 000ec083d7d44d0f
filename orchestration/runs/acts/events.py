"""The flow's event for a verb, and the right that the verb needs."""

from __future__ import annotations

from typing import Any

from foundation.clock import now
from foundation.errors import BadInput
from foundation.identity.actor import Actor
from orchestration.core.enums import Answer, Cause, Verb
from orchestration.core.saga.events import (
    AbortRequested,
    Act,
    ForceStopRequested,
    HoldRequested,
    ReleaseRequested,
    RerunRequested,
    ResolveRequested,
    RetryRequested,
    SkipRequested,
)
from orchestration.core.saga.plan import Plan
from orchestration.models import Run
from orchestration.runs.archive.removed import unknown_run

NEEDS_STEP = frozenset({Verb.RETRY, Verb.RERUN, Verb.SKIP, Verb.RESOLVE})

NEEDS_NOTE = frozenset({Verb.RESOLVE})

MOST_NAMED = 50
"""Steps in a refusal; a saga may have thousands."""

OWN_PERMISSION = {Verb.FORCE_STOP: "run.force-stop", Verb.RESTART: "run.start"}


def permission_for(verb: Verb) -> str:
    """The right that an actor needs for the verb: a key of `permissions.MAY`."""
    return OWN_PERMISSION.get(verb, "run.act")


def get_run(workflow_id: str) -> Run:
    """The run with this handle.

    Raises:
        NotFound: there is none, or none any more; then it says when it was removed.
    """
    run = Run.objects.select_related("definition").filter(workflow_id=workflow_id).first()
    if run is None:
        raise unknown_run(workflow_id)
    return run


def event_for(
    *,
    verb: Verb,
    actor: Actor,
    step_id: str = "",
    note: str = "",
    answer: str = "",
    action: dict[str, Any] | None = None,
    cause: Cause = Cause.OPERATOR,
) -> Act:
    """The flow's event for a verb, at the database's time.

    `answer`: of RESOLVE, an `Answer`; `action`: the alternative that it names, as JSON.

    Raises:
        BadInput: the verb needs a step, a note or an answer that is missing or unknown, or is no event (RESTART).
    """
    at, by = now(), actor.name
    if verb in NEEDS_STEP and not step_id:
        raise BadInput(f"{verb} needs a step", field="step_id", remedy="name it, such as --step reserve_stock")
    if verb in NEEDS_NOTE and not note.strip():
        raise BadInput(f"{verb} needs a note", field="note", remedy="say what was done, such as --note 'refunded'")
    match verb:
        case Verb.HOLD:
            return HoldRequested(at=at, by=by, note=note)
        case Verb.RELEASE:
            return ReleaseRequested(at=at, by=by, note=note)
        case Verb.ABORT:
            return AbortRequested(at=at, cause=cause, by=by, note=note)
        case Verb.RETRY:
            return RetryRequested(at=at, step_id=step_id, by=by, note=note)
        case Verb.RERUN:
            return RerunRequested(at=at, step_id=step_id, by=by, note=note)
        case Verb.SKIP:
            return SkipRequested(at=at, step_id=step_id, by=by, note=note)
        case Verb.FORCE_STOP:
            return ForceStopRequested(at=at, by=by, note=note)
        case Verb.RESOLVE:
            chosen = _answer(answer)
            return ResolveRequested(
                at=at, step_id=step_id, answer=chosen, run_alternative=action is not None, by=by, note=note
            )
        case _:
            raise BadInput(f"{verb} is not an event of a run", field="verb")


def refuse_unknown_step(plan: Plan, verb: Verb, step_id: str) -> None:
    """Refuse a step that is not in the definition, whatever state the run is in."""
    if verb in NEEDS_STEP and step_id and step_id not in plan.steps:
        steps = ", ".join(plan.order[:MOST_NAMED]) + (", …" if len(plan.order) > MOST_NAMED else "")
        raise BadInput(f"there is no step '{step_id[:100]}'", field="step_id", remedy=f"the steps are: {steps}")


def _answer(answer: str) -> Answer:
    try:
        return Answer(answer)
    except ValueError:
        known = ", ".join(Answer)
        raise BadInput(f"'{answer}' is not an answer", field="answer", remedy=f"one of: {known}") from None

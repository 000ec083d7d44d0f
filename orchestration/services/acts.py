"""A person acts on a run: audit row first, then the act as an event, through the run's engine."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction

from orchestration import audit, lifecycle, roles
from orchestration.audit import Actor
from orchestration.clock import now
from orchestration.conditions import action_conditions
from orchestration.core.codec import EVENT
from orchestration.core.definition import DefinitionErrors, validate_action
from orchestration.core.events import (
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
from orchestration.core.guards import descendants, refusal
from orchestration.core.plan import Plan
from orchestration.core.state import SagaState
from orchestration.core.templates import action_placeholders
from orchestration.core.undo import preview_abort
from orchestration.core.words import Answer, Cause, Purpose, Verb
from orchestration.delivery import deliver
from orchestration.errors import BadInput, NotFound, Unreachable, WrongState
from orchestration.flows import kept
from orchestration.givers import givers_of
from orchestration.ledger import load_state
from orchestration.models import Command, Message, Run
from orchestration.plans import definition_of, plan_of
from orchestration.services.start import start_run

NEEDS_STEP = frozenset({Verb.RETRY, Verb.RERUN, Verb.SKIP, Verb.RESOLVE})
ASKS_ANEW = frozenset({Verb.RETRY, Verb.RERUN})
NEEDS_NOTE = frozenset({Verb.RESOLVE})
MOST_NAMED = 50
"""Steps in a refusal; a saga may have thousands."""
OWN_PERMISSION = {Verb.FORCE_STOP: "run.force-stop", Verb.RESTART: "run.start"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a verb would do now. `refusal`: why it is not legal. `lines`: for people. `data`: the same for machines."""

    verb: str
    workflow_id: str
    refusal: str = ""
    lines: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)


def permission_for(verb: Verb) -> str:
    """What an actor needs (roles.MAY) to do it."""
    return OWN_PERMISSION.get(verb, "run.act")


def get_run(workflow_id: str) -> Run:
    run = Run.objects.select_related("definition").filter(workflow_id=workflow_id).first()
    if run is None:
        raise NotFound(f"there is no run '{workflow_id}'", field="workflow_id", remedy="see `manage.py runs list`")
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
    """The flow's event of a verb, or BadInput when a part is missing."""
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


def preview(*, workflow_id: str, verb: Verb, actor: Actor, step_id: str = "", answer: str = "") -> Preview:
    """What the verb would do to the run as it stands. Changes nothing."""
    roles.require(actor, "view")
    run = get_run(workflow_id)
    if verb is Verb.RESTART:
        why = "" if run.finished_at else f"the run is {run.status}; only an ended run can be restarted"
        lines = [f"a new run of {run.definition} starts with the same context, on the {run.engine} engine"]
        return Preview(verb=verb, workflow_id=workflow_id, refusal=why, lines=[*lines, *_keys_again(run)])
    plan, state = plan_of(run), load_state(run)
    _known_step(plan, verb, step_id)
    asked_answer = answer or (Answer.RETRY if verb is Verb.RESOLVE else "")
    event = event_for(verb=verb, actor=actor, step_id=step_id, note="preview", answer=asked_answer)
    lines, data = _consequences(verb, plan, state, step_id)
    return Preview(verb=verb, workflow_id=workflow_id, refusal=refusal(plan, state, event), lines=lines, data=data)


def _keys_again(run: Run) -> list[str]:
    """What a restart sends under keys that the run has used."""
    if kept(run.kind):
        return []
    definition = definition_of(run)
    own = [step.step_id for step in definition.steps if step.idempotency_key]
    if definition.idempotency_scope != "business" or not own:
        return []
    named = ", ".join(own[:MOST_NAMED])
    return [f"the same idempotency keys are sent again (idempotency_scope: business), so it may do nothing: {named}"]


def _known_step(plan: Plan, verb: Verb, step_id: str) -> None:
    """A step that is not in the definition is a slip of the caller, whatever state the run is in."""
    if verb in NEEDS_STEP and step_id and step_id not in plan.steps:
        steps = ", ".join(plan.order[:MOST_NAMED]) + (", …" if len(plan.order) > MOST_NAMED else "")
        raise BadInput(f"there is no step '{step_id[:100]}'", field="step_id", remedy=f"the steps are: {steps}")


def _consequences(verb: Verb, plan: Any, state: Any, step_id: str) -> tuple[list[str], dict[str, Any]]:
    abort = preview_abort(plan, state)
    flying = f"{len(abort.in_flight)} attempts are still running: {', '.join(abort.in_flight) or 'none'}"
    if verb is Verb.ABORT:
        lines = [f"wave {n}: undo {', '.join(wave)}" for n, wave in enumerate(abort.waves, 1)] or ["nothing to undo"]
        if abort.without_undo:
            lines.append(f"has no undo and will stand: {', '.join(abort.without_undo)}")
        if abort.earlier:
            before = [f"{s} ({', '.join(map(str, iterations))})" for s, iterations in abort.earlier.items()]
            lines.append(f"so it is with what iterations before a rerun did: {'; '.join(before)}")
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
            "again": after
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


ANSWERED_BY = "answered_by"
"""Key of a failed undo's `detail`: the message with the answer that was given to it."""


def act(
    *,
    workflow_id: str,
    verb: Verb,
    actor: Actor,
    step_id: str = "",
    note: str = "",
    answer: str = "",
    action: dict[str, Any] | None = None,
    cause: Cause = Cause.OPERATOR,
    request_id: str = "",
) -> Run:
    """Do it. Raises BadInput, NotFound, NotAllowed or WrongState, and then nothing has changed.

    While the run's engine is away the act is stored and delivered later; the run comes back as it stands.
    """
    roles.require(actor, permission_for(verb))
    run = get_run(workflow_id)
    if kept(run.kind) and verb not in (Verb.ABORT, Verb.FORCE_STOP):
        raise WrongState("an approval can be decided, withdrawn or aborted; ask anew for another", field="verb")
    if verb is Verb.RESTART:
        return _restart(run, actor, request_id)
    event = event_for(verb=verb, actor=actor, step_id=step_id, note=note, answer=answer, action=action, cause=cause)
    _known_step(plan_of(run), verb, step_id)
    if action is not None:
        _check_alternative(action, step_id)
    message = _stored(run, event, verb=verb, actor=actor, action=action, request_id=request_id)
    try:
        why = deliver(message)
    except Unreachable:
        why = ""
    if why:
        raise WrongState(why, field="verb")
    return get_run(workflow_id)


def _stored(
    run: Run, event: Act, *, verb: Verb, actor: Actor, action: dict[str, Any] | None, request_id: str
) -> Message:
    message_id = request_id or uuid.uuid4().hex
    with transaction.atomic():
        locked = Run.objects.select_for_update().get(pk=run.pk)
        known = locked.messages.filter(message_id=message_id).first() if request_id else None
        if known is not None:
            return known
        state = load_state(locked)
        why = refusal(plan_of(locked), state, event)
        if why:
            raise WrongState(why, field="verb")
        audit.record(
            actor=actor, action=f"run.{verb}", workflow_id=run.workflow_id, note=event.note,
            step_id=getattr(event, "step_id", ""), answer=str(getattr(event, "answer", "")),
            **(_whose(actor) if verb in ASKS_ANEW else {}),
            **({"alternative": action} if action is not None else {}),
        )  # fmt: skip
        if verb is Verb.RESOLVE:
            _give_one_answer(locked, state, event, message_id)
        if action is not None:
            _store_alternative(locked, state, event, action, message_id)
        return lifecycle.post(locked, event, message_id=message_id)


def refuse_another(message: Message, event: Act, action: dict[str, Any] | None) -> None:
    """Raises BadInput where what was stored under a key is not what is asked under it now."""
    had, asked = (
        {name: value for name, value in EVENT.dump_python(one, mode="json").items() if name not in ("at", "by")}
        for one in (EVENT.validate_python(message.event), event)
    )
    given = message.run.commands.filter(kind="alternative", detail__message_id=message.message_id).first()
    differs = had != asked or (given is not None and given.undo_action != action)
    if differs:
        what = ", ".join(name for name in asked if had.get(name) != asked[name]) or "action"
        raise BadInput(
            f"this Idempotency-Key was used for another act ({what} is not the same)",
            field="Idempotency-Key", remedy="give each act a key of its own",
        )  # fmt: skip


def _whose(actor: Actor) -> dict[str, Any]:
    """For `givers.asked_anew_by`: an agent asks for its owner as well."""
    owner = {"owner": actor.owner, "owner_id": actor.owner_id} if actor.owner else {}
    return {"user_id": actor.user_id, **owner}


def _check_alternative(action: dict[str, Any], step_id: str) -> None:
    """An alternative is performed as it is given: a valid action without placeholders."""
    try:
        validate_action(action, undo=True, field="action", step=step_id)
        wrong = [*action_conditions(action, step=step_id, field="action")]
        if wrong:
            raise DefinitionErrors(wrong)
    except DefinitionErrors as errors:
        raise BadInput(str(errors), field="action", problems=errors.as_dicts()) from None
    names = action_placeholders(action)
    if names:
        listed = ", ".join(sorted(names))
        raise BadInput(f"the action holds placeholders ({listed})", field="action", remedy="write the values out")


def _give_one_answer(run: Run, state: SagaState, event: Act, message_id: str) -> None:
    """To each failure of an undo one answer at a time: the run hears of it later, and its rows later still.

    Raises WrongState while another one is under way, whatever it says: an alternative that came then would be performed
    by a retry that was answered before.
    """
    step_id = getattr(event, "step_id", "")
    step = state.step(step_id)
    row = run.commands.filter(
        kind="run_action", step_id=step_id, purpose=Purpose.UNDO, iteration=step.in_hand, attempt=step.undo_attempt
    ).first()
    if row is None:
        return
    before = row.detail.get(ANSWERED_BY)
    if before and run.messages.filter(message_id=before, refusal="").exists():
        raise WrongState("an answer has just been given for it", field="verb", remedy="see what comes of it")
    row.detail = {**row.detail, ANSWERED_BY: message_id}
    row.save(update_fields=["detail"])


def _store_alternative(run: Run, state: SagaState, event: Act, action: dict[str, Any], message_id: str) -> None:
    """The latest that was given, numbered: each has an idempotency key of its own, whatever tries it takes.

    One for each failure of the undo: another that comes before the run has heard of the first would take its place.
    """
    step_id = getattr(event, "step_id", "")
    step = state.step(step_id)
    row, _ = Command.objects.get_or_create(
        run=run, kind="alternative", step_id=step_id, iteration=step.in_hand, timer="", purpose="undo", attempt=0,
        defaults={"status": Command.DONE, "due_at": now()},
    )  # fmt: skip
    before = row.detail
    is_of_this = before.get("undo_attempt") == step.undo_attempt
    if is_of_this and run.messages.filter(message_id=before["message_id"], refusal="").exists():
        raise WrongState("an alternative has just been given for it", field="verb", remedy="see what comes of it")
    row.undo_action = action
    row.detail = {
        "number": int(before.get("number", 0)) + 1, "undo_attempt": step.undo_attempt, "message_id": message_id,
    }  # fmt: skip
    row.save(update_fields=["undo_action", "detail"])


def _restart(run: Run, actor: Actor, request_id: str) -> Run:
    """A new run, whose input stays that of whoever gave it.

    Asked again under the same `request_id` it is the same one: its id holds it.
    """
    if not run.finished_at:
        raise WrongState(f"the run is {run.status}; only an ended run can be restarted", field="verb")
    again, _ = start_run(
        definition=run.definition.body,
        listed=run.definition.listed,
        actor=actor,
        workflow_id=f"{run.workflow_id[:180]}~{request_id[:16]}" if request_id else "",
        engine=run.engine,
        context=run.context,
        config=run.config,
        input_by=givers_of(run),
    )
    return again


def _answer(answer: str) -> Answer:
    try:
        return Answer(answer)
    except ValueError:
        known = ", ".join(Answer)
        raise BadInput(f"'{answer}' is not an answer", field="answer", remedy=f"one of: {known}") from None

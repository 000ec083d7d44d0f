"""A person acts on a run.

The audit row and the act as a stored message first, then delivery through the run's engine.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from foundation import audit, telemetry
from foundation.errors import BadInput, NotAllowed, Unreachable, WrongState
from foundation.identity import permissions
from foundation.identity.actor import Actor
from orchestration.core.enums import Cause, Verb
from orchestration.core.proposals import beyond, people_decide
from orchestration.core.saga.codec import EVENT
from orchestration.core.saga.events import (
    Act,
)
from orchestration.core.saga.state import SagaState
from orchestration.ledger import run_end
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.ledger.store import load_state
from orchestration.models import Message, Run
from orchestration.runs.acts.answers import check_alternative, store_answer
from orchestration.runs.acts.events import MOST_NAMED, event_for, get_run, permission_for, refuse_unknown_step
from orchestration.runs.acts.legal import why_never, why_not
from orchestration.runs.acts.previews import consequences
from orchestration.runs.archive.removed import unknown_run
from orchestration.runs.contributors import givers_of
from orchestration.runs.definitions import is_own
from orchestration.runs.delivery import deliver
from orchestration.runs.start import start_run
from orchestration.runs.start_inputs import usable

ASKS_ANEW = frozenset({Verb.RETRY, Verb.RERUN})


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
    if_version: int | None = None,
) -> Run:
    """Do it; returns the run as it is afterwards.

    While the run's engine is away the act is stored and delivered later by the relay; the run comes back unchanged
    then. `request_id`: an idempotency key; the same one is stored once. `action`: an alternative compensation, with
    RESOLVE. `if_version`: only if the run is still at this version.

    Raises:
        NotFound: there is no such run.
        NotAllowed: the actor lacks the role or the scope, or is an agent, which only proposes this.
        BadInput: a step, note or answer is missing or unknown, or the alternative is not valid or holds placeholders.
        WrongState: the verb is not legal in the run's state, another answer for this failure is under way, or the run
            has moved on (field `version`).
    """
    permissions.require(actor, permission_for(verb))
    refuse_agent(actor, verb, answer)
    run = get_run(workflow_id)
    with telemetry.span(f"act {verb}", links=[run.trace], workflow_id=workflow_id, step_id=step_id, verb=str(verb)):
        return _acted(
            run, verb, actor, step_id=step_id, note=note, answer=answer, action=action, cause=cause,
            request_id=request_id, if_version=if_version,
        )  # fmt: skip


def refuse_agent(actor: Actor, verb: Verb, answer: str = "") -> None:
    """Refuse an agent what it only proposes, unless ZEN_MCP_PROPOSE is off. `answer`: of RESOLVE.

    Raises:
        NotAllowed: with the door at which it can propose.
    """
    if actor.agent and settings.ZEN_MCP_PROPOSE and people_decide(verb, answer):
        what = f"{verb} with {answer}" if verb is Verb.RESOLVE else str(verb)
        raise NotAllowed(
            f"an agent's token does not {what}: people decide it", field="token",
            remedy="propose it over MCP (docs/howto/mcp.md), or ask a person to do it",
        )  # fmt: skip


def _acted(
    run: Run, verb: Verb, actor: Actor, *, step_id: str, note: str, answer: str, action: dict[str, Any] | None,
    cause: Cause, request_id: str, if_version: int | None,
) -> Run:  # fmt: skip
    if verb is Verb.RESTART:
        if why := why_never(run, verb):
            raise WrongState(why, field="verb")
        return _restart(run, actor, request_id)
    event = checked_event(run, verb, actor, step_id=step_id, note=note, answer=answer, action=action, cause=cause)
    message = _stored(run, event, verb=verb, actor=actor, action=action, request_id=request_id, if_version=if_version)
    if why := _delivered(message):
        raise WrongState(why, field="verb")
    return get_run(run.workflow_id)


def checked_event(
    run: Run, verb: Verb, actor: Actor, *, step_id: str = "", note: str = "", answer: str = "",
    action: dict[str, Any] | None = None, cause: Cause = Cause.OPERATOR,
) -> Act:  # fmt: skip
    """The flow's event for an act, of which all is checked that does not depend on how far the run is.

    Raises:
        BadInput: a step, note or answer is missing or unknown, or the alternative is not valid or holds placeholders.
        WrongState: such a run never takes this verb.
    """
    if why := why_never(run, verb):
        raise WrongState(why, field="verb")
    event = event_for(verb=verb, actor=actor, step_id=step_id, note=note, answer=answer, action=action, cause=cause)
    refuse_unknown_step(compiled_plan(run), verb, step_id)
    if action is not None:
        check_alternative(action, step_id)
    return event


def store_act(
    *, workflow_id: str, verb: Verb, actor: Actor, request_id: str, step_id: str = "", note: str = "",
    answer: str = "", shown: Mapping[str, Any] | None = None, asked_by: Sequence[tuple[int, str]] = (),
) -> None:  # fmt: skip
    """Store an act that people have agreed to, inside the caller's transaction, once for a `request_id`.

    It is delivered after the commit, or by the relay. `shown`: the consequences that they were shown, as JSON.
    `asked_by`: the accounts (id, name) that wanted it.

    Raises:
        NotFound, NotAllowed, BadInput: as of `act`.
        WrongState: the verb is not legal in the run's state, or would do now what was not shown (field `version`).
    """
    permissions.require(actor, permission_for(verb))
    run = get_run(workflow_id)
    event = checked_event(run, verb, actor, step_id=step_id, note=note, answer=answer)
    message = _stored(
        run, event, verb=verb, actor=actor, action=None, request_id=request_id, if_version=None, shown=shown,
        asked_by=asked_by,
    )  # fmt: skip
    transaction.on_commit(partial(_delivered, message), robust=True)


def _delivered(message: Message) -> str:
    """The run's refusal in words, or ''; an engine that is away gets the act by the relay."""
    try:
        return deliver(message)
    except Unreachable:
        return ""


def _stored(
    run: Run, event: Act, *, verb: Verb, actor: Actor, action: dict[str, Any] | None, request_id: str,
    if_version: int | None, shown: Mapping[str, Any] | None = None, asked_by: Sequence[tuple[int, str]] = (),
) -> Message:  # fmt: skip
    message_id = request_id or uuid.uuid4().hex
    with transaction.atomic():
        locked = Run.objects.select_for_update().filter(pk=run.pk).first()
        if locked is None:  # it was removed at this moment
            raise unknown_run(run.workflow_id)
        known = locked.messages.filter(message_id=message_id).first() if request_id else None
        if known is not None:
            return known
        if if_version is not None and locked.version != if_version:
            raise WrongState("the run has moved on", field="version", remedy="look at it again")
        state = load_state(locked)
        if why := why_not(locked, verb, event, state):
            raise WrongState(why, field="verb")
        if shown is not None:
            _refuse_more(locked, verb, state, getattr(event, "step_id", ""), shown)
        audit.record(
            actor=actor, action=f"run.{verb}", workflow_id=run.workflow_id, note=event.note,
            step_id=getattr(event, "step_id", ""), answer=str(getattr(event, "answer", "")),
            **(_whose(actor) if verb in ASKS_ANEW else {}),
            **({"asked_by": [list(one) for one in asked_by]} if asked_by else {}),
            **({"alternative": action} if action is not None else {}),
        )  # fmt: skip
        if verb is Verb.RESOLVE:
            store_answer(locked, state, event, action, message_id)
        return run_end.post(locked, event, message_id=message_id)


def _refuse_more(run: Run, verb: Verb, state: SagaState, step_id: str, shown: Mapping[str, Any]) -> None:
    _, now_ = consequences(verb, compiled_plan(run), state, step_id)
    if more := beyond(shown, now_):
        named = ", ".join(more[:MOST_NAMED])
        raise WrongState(
            f"the run has moved on: it would {named}, too, which was not shown", field="version",
            remedy="hold the run, so that it does not move on, and propose it again",
        )  # fmt: skip


def refuse_another(message: Message, event: Act, action: dict[str, Any] | None) -> None:
    """Refuse a request that repeats an idempotency key with other content.

    Raises:
        BadInput: what was stored under the key is not what is asked now.
    """
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


def restarted_as(workflow_id: str, request_id: str) -> str:
    """The handle of the run that a restart under this idempotency key begins."""
    return f"{workflow_id[:180]}~{request_id[:16]}"


def _restart(run: Run, actor: Actor, request_id: str) -> Run:
    """A new run with the same input, which stays that of the people who gave it.

    Asked again under the same `request_id` it is the same run: its handle holds the id.
    """
    handle = f"{run.workflow_id[:180]}~{request_id[:16]}" if request_id else ""
    try:
        return _begun_anew(run, actor, handle)
    except BadInput as error:
        if not handle or error.field != "workflow_id":
            raise
    unguessed = salted_hmac("orchestration.runs.restart", f"{run.pk}\n{request_id}").hexdigest()[:18]
    return _begun_anew(run, actor, f"{run.workflow_id[:180]}~{unguessed}")  # a stranger has taken the handle


def _begun_anew(run: Run, actor: Actor, handle: str) -> Run:
    again, _ = start_run(
        definition=run.definition.body,
        listed=run.definition.listed,
        actor=actor,
        workflow_id=handle,
        engine=run.engine,
        context=run.context,
        config=usable(run.config),
        input_by=givers_of(run),
        kind=run.kind,
        compiled=is_own(run.definition),
    )
    return again

"""An agent proposes what cannot be taken back; people decide it, and `state.agent_act` does it."""

from __future__ import annotations

import json
from typing import Any

from approvals.core.content import Ask
from approvals.core.enums import OPEN, Status
from approvals.models import Request
from approvals.policies import principals
from approvals.queries.agent_act import FACT, STAGE
from approvals.requests.amend import renew, sound
from approvals.requests.open_request import shortened
from approvals.requests.own_request import ask_as_own
from approvals.requests.policy_choice import given_by
from approvals.requests.state.lock import database_now, fire_due
from approvals.requests.state.locked_request import lock_request
from foundation.db import statements
from foundation.db.advisory_lock import lock_by_name
from foundation.db.statements import as_json
from foundation.errors import WrongState
from foundation.identity import permissions
from foundation.identity.actor import Actor
from foundation.visible_text import clean, one_line
from orchestration.core.enums import Verb
from orchestration.core.proposals import beyond
from orchestration.models import Run
from orchestration.runs import get_run, preview
from orchestration.runs.acts import Preview, checked_event, permission_for, why_not
from orchestration.runs.external import chosen_engine

LONGEST_TITLE = 200


def propose(
    *, workflow_id: str, verb: Verb, actor: Actor, step_id: str = "", note: str = "", answer: str = "",
    action: dict[str, Any] | None = None, policy: str = "",
) -> tuple[Request, Preview]:  # fmt: skip
    """The request in which people decide this act, and what the act would do now.

    A run has one open for each verb. The same proposal again is the same request; if the run has moved on since,
    everybody decides anew. `answer`, `action`: of RESOLVE, as of `act`. `policy`: who
    decides; '' is the standard policy.

    Raises:
        NotFound: there is no such run.
        NotAllowed: the actor may not act on runs, or not ask.
        BadInput: a step, note or answer is missing or unknown, or nobody could decide.
        WrongState: the verb is not legal now, or another proposal with this verb is open.
        Unreachable: the engine that would keep the request's time is away.
    """
    permissions.require(actor, permission_for(verb))
    run = get_run(workflow_id)
    event = checked_event(run, verb, actor, step_id=step_id, note=note, answer=answer, action=action)
    if why := why_not(run, verb, event):
        raise WrongState(why, field="verb")
    found = preview(workflow_id=workflow_id, verb=verb, actor=actor, step_id=step_id, answer=answer)
    wanted = _ask(run, verb, actor, found, step_id=step_id, note=note, answer=answer, policy=policy)
    engine = chosen_engine()
    with statements.writing():
        statements.run(*lock_by_name(f"agent-act:{run.pk}:{verb}"))
        known = _of(run, verb).filter(status__in=OPEN).first()
        request = _asked_before(known, wanted, actor) if known is not None else None
        return request or _asked(run, verb, wanted, actor, engine), found


def _of(run: Run, verb: Verb) -> Any:
    """All proposals of this verb on the run."""
    about = {f"facts__{FACT}__verb": verb.value}
    return Request.objects.filter(about=run.workflow_id, stage=STAGE, **about).order_by("pk")


def _asked(run: Run, verb: Verb, wanted: Ask, actor: Actor, engine: str) -> Request:
    number = _of(run, verb).count() + 1
    handle = shortened(f"{run.workflow_id}.{STAGE}.{verb}" + (f"-{number}" if number > 1 else ""))
    return ask_as_own(given=wanted, actor=actor, request_id=handle, is_own=lambda request: False, engine=engine)


def _asked_before(known: Request, wanted: Ask, actor: Actor) -> Request | None:
    """The open request, in a new round if what is shown in it does not cover the act any more; None if it has ended."""
    had, asked = known.facts[FACT], wanted.facts[FACT]
    locked = lock_request(known.run_id)
    fire_due(locked, database_now(locked.state))
    if locked.state.status.is_end:
        return None
    if had != asked:
        what = f"{had['verb']} {had['step_id']} {had['answer']}".strip()
        raise WrongState(
            f"{what} is proposed already, in '{known.request_id}'",
            field="step_id" if had["step_id"] != asked["step_id"] else "answer",
            remedy="wait until people have decided it",
        )  # fmt: skip
    now = dict(wanted.action or {})
    if beyond(known.content["action"]["would"], now["would"]) or locked.state.status is Status.CHANGES_REQUESTED:
        renew(locked, sound(wanted.content()), actor, authors=principals.ids_of(given_by(wanted, actor)))
    return locked.request


def _ask(
    run: Run, verb: Verb, actor: Actor, found: Preview, *, step_id: str, note: str, answer: str, policy: str
) -> Ask:
    what = f"{verb} {step_id}".strip() + (f" with {answer}" if answer else "")
    lines = "\n".join(f"- {line}" for line in found.lines)
    said = "\n".join(f"    {line}" for line in clean(note).strip("\n").split("\n")) if note.strip() else ""
    lead = f"The agent {actor.name} wants to {what} the run '{run.workflow_id}'. A yes does it, as your act."
    act = {"verb": verb.value, "workflow_id": run.workflow_id, "step_id": step_id, "answer": answer}
    return Ask(
        stage=STAGE,
        about=run.workflow_id,
        policy=policy,
        title=one_line(f"{what} {run.workflow_id}", LONGEST_TITLE),
        description="\n\n".join(part for part in (lead, lines, said) if part),
        action={"type": STAGE, **act, "note": note, "would": json.loads(as_json(found.data))},
        facts={FACT: act},
    )

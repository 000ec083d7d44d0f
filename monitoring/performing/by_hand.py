"""A person has a run mended: the same acts as a policy's, watched in the same way, without its brakes."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from foundation.clock import database_now
from foundation.db import statements
from foundation.errors import BadInput
from foundation.identity import permissions
from foundation.identity.actor import Actor
from foundation.visible_text import clean
from monitoring.core.enums import RecoveryAction
from monitoring.core.policy_checks import TELLING
from monitoring.core.recovery.actions import REMIND, TELL, WAKE, Doing, doing
from monitoring.models import RecoveryAttempt
from monitoring.performing.intended import NOTHING, candidate, named, recommended
from monitoring.performing.perform import perform
from monitoring.performing.result import RecoveryResult
from monitoring.recovery import records, telling, verdicts
from monitoring.recovery.candidates import Candidate
from monitoring.recovery.claims import LEASE
from monitoring.recovery.decide import about, acts_of, concerns
from orchestration.core.enums import Verb
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.models import Run
from orchestration.runs import get_run
from orchestration.runs.acts import permission_for, refuse_agent
from orchestration.runs.acts.events import refuse_unknown_step
from orchestration.runs.queries import run_view

LONGEST_REASON = 2000
TOLD_EVERY = timedelta(minutes=1)


def trigger(
    workflow_id: str, reason: str, action: str | None = None, *, actor: Actor, step_id: str = "", note: str = ""
) -> RecoveryResult:
    """Do an action of recovery now; None: what the run's health recommends first.

    What is not legal now changes nothing and is told in the result.

    Raises:
        NotFound: there is no such run.
        NotAllowed: the actor may not trigger recovery, or not do what the action comes to.
        BadInput: no reason, an unknown action or step.
    """
    permissions.require(actor, "recovery.trigger")
    run = get_run(workflow_id)
    if not reason.strip():
        raise BadInput("a reason is missing", field="recovery_reason", remedy="say why, such as 'payments is back'")
    chosen = named(action) if action else None
    refuse_unknown_step(compiled_plan(run), Verb.RETRY, step_id)
    one = candidate(run)
    if chosen is None:
        chosen, step_id = recommended(one, step_id)
    if chosen is None:
        return _refused(run, None, NOTHING)
    found = doing(chosen, one.facts, by_hand=True, step_id=step_id)
    if found.refusal:
        return _refused(run, chosen, found.refusal)
    for act in found.acts:
        if act.verb not in (WAKE, TELL, REMIND):
            permissions.require(actor, permission_for(Verb(act.verb)))
            refuse_agent(actor, Verb(act.verb))
    if found.acts[0].verb == WAKE:
        permissions.require(actor, "run.act")
    text = clean(f"{reason}: {note}" if note else reason)[:LONGEST_REASON]
    return _done(run, one, chosen, found, actor, text, step_id)


def _refused(run: Run, action: RecoveryAction | None, why: str) -> RecoveryResult:
    return RecoveryResult(
        success=False, workflow_id=run.workflow_id, recovery_action=action, message=why, run=run_view(run)
    )


def _done(
    run: Run, one: Candidate, action: RecoveryAction, found: Doing, actor: Actor, reason: str, step_id: str
) -> RecoveryResult:
    now = database_now()
    told = action in TELLING
    attempt = RecoveryAttempt(
        run=run, chain=run.pk, number=1, of=1, action=action.value, acts=acts_of(found), run_version=one.facts.version,
        actor=actor.name, decided_at=now, acted_at=now, lease_until=now + LEASE, state=RecoveryAttempt.ACTING,
        by={
            "door": actor.door, "user_id": actor.user_id, "owner": actor.owner, "owner_id": actor.owner_id,
            "step_id": step_id,
        },
        **concerns(about(one, found), one.facts.saga_id, one.facts.status.value) | {"reason": reason},
    )  # fmt: skip
    if step_id:
        attempt.step_id = step_id
    if told and _told_just_now(run, action, now):
        return _refused(run, action, "people were told of it less than a minute ago")
    if told:
        whom = telling.by_hand(run, action, reason, actor)
        attempt.state, attempt.ended_at, attempt.lease_until = RecoveryAttempt.WORKED, now, None
        attempt.verdict = f"told {', '.join(whom) or 'nobody'}"
    elif (busy := _in_the_way(run, actor, action)) is not None:
        return _refused(run, action, busy)
    try:
        with statements.writing(), transaction.atomic():
            records.store(attempt, run.workflow_id)
    except IntegrityError:
        return _refused(run, action, "another attempt has begun at this moment; see what comes of it")
    if not told:
        perform(attempt)
    return _result(attempt, action)


def _told_just_now(run: Run, action: RecoveryAction, now: datetime) -> bool:
    """Messages that a person or a program asks for are not capped, so a run has one of a kind a minute."""
    by_hand = RecoveryAttempt.objects.filter(run=run, policy_id="", action=action.value)
    return by_hand.filter(decided_at__gt=now - TOLD_EVERY).exists()


def _in_the_way(run: Run, actor: Actor, action: RecoveryAction) -> str | None:
    """One attempt of a run is open at most: what waits gives way to a person, what has acted does not."""
    known = RecoveryAttempt.objects.filter(run=run, state__in=RecoveryAttempt.OPEN).select_related("run").first()
    if known is None:
        return None
    if known.state in (RecoveryAttempt.DECIDED, RecoveryAttempt.AWAITING):
        verdicts.end(known, RecoveryAttempt.OVERTAKEN, f"{actor.name}: {action} by hand", database_now())
        return None
    who = known.policy_id or known.actor
    return f"attempt {known.pk} ({known.action} by {who}) is under way; see what comes of it"


def _result(attempt: RecoveryAttempt, action: RecoveryAction) -> RecoveryResult:
    attempt.refresh_from_db()
    run = get_run(attempt.run.workflow_id)
    words = {
        RecoveryAttempt.WATCHING: "done; whether it helps is being watched",
        RecoveryAttempt.ACTING: "begun; it goes on once the run has ended",
    }
    return RecoveryResult(
        success=attempt.state in (RecoveryAttempt.WATCHING, RecoveryAttempt.ACTING, RecoveryAttempt.WORKED),
        workflow_id=run.workflow_id, recovery_action=action, attempt_id=attempt.pk, state=attempt.state,
        message=f"{action}: {words.get(attempt.state, attempt.verdict)}", new_workflow_id=attempt.new_workflow_id,
        run=run_view(run),
    )  # fmt: skip

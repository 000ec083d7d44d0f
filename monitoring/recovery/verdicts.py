"""What became of an attempt: later facts say so, or something overtook it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from approvals.requests import withdraw
from foundation.guarded import guarded, logged
from foundation.models import AuditEvent
from monitoring.core.enums import RecoveryAction
from monitoring.core.matching import Armed
from monitoring.core.recovery.actions import BY_RECOVERY
from monitoring.models import RecoveryAttempt, RunHealth
from monitoring.recovery import records, storms
from monitoring.recovery.candidates import Candidate
from orchestration.core.enums import RunStatus
from orchestration.models import Event, Message, Run

A = RecoveryAction
PROGRESS = ("step.succeeded", "step.skipped", "undo.compensated", "run.completed", "run.rolled_back")
VERIFY_BY_HAND = timedelta(seconds=600)


def settle(found: Sequence[Candidate], armed: Sequence[Armed], now: datetime) -> set[int]:
    """End the open attempts of these runs that are over; returns the runs that still have one."""
    by_run = {one.facts.run_id: one for one in found}
    rows = RecoveryAttempt.objects.filter(run_id__in=list(by_run), state__in=RecoveryAttempt.OPEN)
    left = set()
    in_force = {one.policy_id: one for one in armed}
    for attempt in rows.select_related("run").order_by("pk"):
        if not _settled(attempt, by_run[attempt.run_id], in_force, now):
            left.add(attempt.run_id)
    return left


def _settled(attempt: RecoveryAttempt, one: Candidate, armed: Mapping[str, Armed], now: datetime) -> bool:
    if attempt.state == RecoveryAttempt.ACTING:
        return False  # somebody is at it
    if whose := acted_since(attempt):
        return end(attempt, RecoveryAttempt.OVERTAKEN, whose, now)
    if attempt.state in (RecoveryAttempt.DECIDED, RecoveryAttempt.AWAITING):
        why = no_longer_wanted(attempt, one, armed)
        return bool(why) and end(attempt, RecoveryAttempt.OVERTAKEN, why, now)
    found = verdict(attempt, one, now, time_to_work(attempt, armed))
    return found is not None and end(attempt, *found, now)


def acted_since(attempt: RecoveryAttempt) -> str:
    """What a person has done to the run since the attempt was decided or acted, in words; '' if nothing."""
    rows = AuditEvent.objects.filter(
        workflow_id=attempt.run.workflow_id, seq__gt=attempt.audit_seq, action__startswith="run."
    )
    row = rows.exclude(actor__startswith=BY_RECOVERY).order_by("seq").first()
    return f"{row.actor}: {row.action.removeprefix('run.')}" if row is not None else ""


def no_longer_wanted(attempt: RecoveryAttempt, one: Candidate, armed: Mapping[str, Armed]) -> str:
    """Why a policy's attempt is not to be made any more; '' if it is."""
    if not attempt.policy_id:
        return ""
    policy = armed.get(attempt.policy_id)
    if policy is None or policy.shadow:
        return "the policy does not act any more"
    return "" if attempt.policy_id in one.matched else "what it was about is over"


def end(attempt: RecoveryAttempt, state: str, why: str, now: datetime) -> bool:
    """End an attempt, take back what people were asked, count what came of it for its storm or circuit. True."""
    if attempt.state == RecoveryAttempt.AWAITING:
        _withdraw(attempt, why)
    undone = (
        {"acted_at": None} if attempt.state == RecoveryAttempt.ACTING and state == RecoveryAttempt.OVERTAKEN else {}
    )
    if records.move(attempt, state, now, verdict=why, **undone):
        if state in _VERDICTS:
            storms.feed(attempt, state == RecoveryAttempt.WORKED, now)
        look_again([attempt.run_id], now)
    return True


def look_again(run_ids: Sequence[int], now: datetime) -> None:
    """What recovery has done belongs to the health of its runs: they are judged once more."""
    RunHealth.objects.filter(pk__in=list(run_ids)).update(look_at=now)


def _withdraw(attempt: RecoveryAttempt, why: str) -> None:
    def withdrawn() -> None:
        with transaction.atomic():
            withdraw(request_id=attempt.approval, actor=records.actor_of(attempt), note=why)

    guarded(withdrawn, logged(records.log, "%s stays open", attempt.approval))


_VERDICTS = (RecoveryAttempt.WORKED, RecoveryAttempt.FAILED, RecoveryAttempt.NO_EFFECT)


def time_to_work(attempt: RecoveryAttempt, armed: Mapping[str, Armed]) -> timedelta:
    """Within which it has to show that it worked, as its policy says now."""
    policy = armed.get(attempt.policy_id)
    return timedelta(seconds=policy.policy.verify_seconds) if policy is not None else VERIFY_BY_HAND


def verdict(attempt: RecoveryAttempt, one: Candidate, now: datetime, verify: timedelta) -> tuple[str, str] | None:
    """(state, in words) of an attempt that has acted; None while nothing can be said. `verify`: its time to work."""
    messages = list(Message.objects.filter(message_id__startswith=f"recovery:{attempt.pk}", run_id=attempt.run_id))
    own = [row for row in messages if row.message_id.split(":")[1] == str(attempt.pk)]
    if refused := next((row.refusal for row in own if row.refusal), ""):
        return RecoveryAttempt.REFUSED, refused
    if any(row.delivered_at is None for row in own):
        # its engine is away: the time in which it has to work begins with the delivery
        RecoveryAttempt.objects.filter(pk=attempt.pk).update(verify_until=now + verify)
        return None
    told = _told(attempt, one)
    if told is None and attempt.verify_until is not None and attempt.verify_until <= now:
        if attempt.new_workflow_id:
            return RecoveryAttempt.WORKED, f"{attempt.new_workflow_id} goes on"
        return RecoveryAttempt.NO_EFFECT, "nothing has changed since"
    return told


def _told(attempt: RecoveryAttempt, one: Candidate) -> tuple[str, str] | None:
    match RecoveryAction(attempt.action):
        case A.RESTART:
            return _of_new_run(attempt)
        case A.ROLLBACK | A.CANCEL if not any(act["verb"] == "resolve" for act in attempt.acts):
            return _of_abort(one)
        case A.PAUSE:
            return (RecoveryAttempt.WORKED, "the run is held") if one.facts.held else None
        case _:
            return _of_act(attempt, one)


def _of_act(attempt: RecoveryAttempt, one: Candidate) -> tuple[str, str] | None:
    """It has worked once the issue is gone and a later fact shows progress; the same step in trouble again: failed."""
    since = attempt.acted_at or attempt.decided_at
    issue = one.issue(attempt.issue, attempt.step_id) if attempt.issue else None
    again = one.issue(step_id=attempt.step_id) if attempt.step_id else issue
    if again is not None and again.since > since and again.severity.value == "critical":
        return RecoveryAttempt.FAILED, again.sentence
    if one.facts.ended and one.facts.status not in (RunStatus.COMPLETED, RunStatus.ROLLED_BACK):
        return RecoveryAttempt.FAILED, f"the run has ended ({one.facts.status})"
    if issue is not None:
        return None
    later = Event.objects.filter(run_id=attempt.run_id, at__gte=since)
    if attempt.step_id:
        later = later.filter(step_id__in=("", attempt.step_id))
    waking = attempt.action in (A.WAKE, A.RESUME)
    if (later if waking else later.filter(kind__in=PROGRESS)).exists():
        return RecoveryAttempt.WORKED, "the trouble is gone, and the run goes on"
    return None


def _of_abort(one: Candidate) -> tuple[str, str] | None:
    if one.facts.status is RunStatus.ROLLED_BACK:
        return RecoveryAttempt.WORKED, "rolled back"
    if one.facts.ended or one.facts.status is RunStatus.NEEDS_ATTENTION:
        return RecoveryAttempt.FAILED, one.health.sentence or f"the run is {one.facts.status}"
    return None


def _of_new_run(attempt: RecoveryAttempt) -> tuple[str, str] | None:
    again = Run.objects.filter(workflow_id=attempt.new_workflow_id).first() if attempt.new_workflow_id else None
    if again is None:
        return None
    status = RunStatus(again.status)
    if status is RunStatus.COMPLETED:
        return RecoveryAttempt.WORKED, f"{again.workflow_id} has completed"
    if status.is_end or status in (RunStatus.HELD, RunStatus.NEEDS_ATTENTION, RunStatus.COMPENSATING):
        return RecoveryAttempt.FAILED, f"{again.workflow_id} is {status}"
    return None

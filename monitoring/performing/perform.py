"""Bring one attempt in the state `acting` as far as it goes: look again, ask people, act, watch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from foundation import telemetry
from foundation.clock import database_now
from foundation.errors import BadInput, NotAllowed, NotFound, WrongState
from monitoring.core.enums import RecoveryAction
from monitoring.core.matching import Armed
from monitoring.core.recovery.actions import doing
from monitoring.models import RecoveryAttempt
from monitoring.performing import acts, approval
from monitoring.recovery import records, verdicts
from monitoring.recovery.candidates import Candidate
from monitoring.recovery.decide import acts_of
from monitoring.recovery.policies import armed as in_force
from monitoring.watch.judge import judge
from monitoring.watch.site import away
from orchestration.core.enums import Verb

SOON = timedelta(seconds=1)


def perform(attempt: RecoveryAttempt) -> None:
    """Do what it is about, once, whoever called this before and died."""
    name, run = f"recovery {attempt.action}", attempt.run
    with telemetry.span(name, links=[run.trace], workflow_id=run.workflow_id, step_id=attempt.step_id):
        _perform(attempt)


def _perform(attempt: RecoveryAttempt) -> None:
    armed = {one.policy_id: one for one in in_force()}
    if not acts.done_before(attempt) and not attempt.new_workflow_id and not _prepared(attempt, armed):
        return
    if not _acted(attempt, armed):
        return
    now = database_now()
    verify = verdicts.time_to_work(attempt, armed)
    records.move(
        attempt, RecoveryAttempt.WATCHING, now, verify_until=now + verify, lease_until=now + SOON,
        audit_seq=records.last_seq(attempt.run.workflow_id), new_workflow_id=attempt.new_workflow_id,
    )  # fmt: skip


def _prepared(attempt: RecoveryAttempt, armed: dict[str, Armed]) -> bool:
    """Look at the run again: whether the attempt is still to be made, and as which acts. False: not now."""
    now = database_now()
    one = _candidate(attempt, list(armed.values()))
    if one is None:
        verdicts.end(attempt, RecoveryAttempt.OVERTAKEN, "the run is gone", now)
        return False
    if whose := verdicts.acted_since(attempt):
        verdicts.end(attempt, RecoveryAttempt.OVERTAKEN, whose, now)
        return False
    if why := verdicts.no_longer_wanted(attempt, one, armed):
        verdicts.end(attempt, RecoveryAttempt.OVERTAKEN, why, now)
        return False
    found = doing(RecoveryAction(attempt.action), one.facts, by_hand=not attempt.policy_id, step_id=_meant(attempt))
    if found.refusal:
        verdicts.end(attempt, RecoveryAttempt.REFUSED, found.refusal, now)
        return False
    attempt.acts, attempt.run_version = acts_of(found), one.facts.version
    RecoveryAttempt.objects.filter(pk=attempt.pk).update(acts=attempt.acts, run_version=attempt.run_version)
    policy = armed.get(attempt.policy_id)
    return policy is None or approval.given(attempt, policy, now)


def _meant(attempt: RecoveryAttempt) -> str:
    """The step that a person has named; a policy means all that it fits."""
    return "" if attempt.policy_id else str(attempt.by.get("step_id", ""))


def _candidate(attempt: RecoveryAttempt, armed: list[Armed]) -> Candidate | None:
    found = judge([attempt.run_id], away(), armed=armed)
    if not found:
        return None
    attempt.run.refresh_from_db()
    return found[0].candidate


def _acted(attempt: RecoveryAttempt, armed: Mapping[str, Armed]) -> bool:
    """Do its acts in order; False if it has ended, or has to wait for the end of the run."""
    for place, one in enumerate(attempt.acts):
        if one["verb"] == Verb.RESTART and not _may_restart(attempt, armed):
            return False
        try:
            again = acts.do(attempt, place, if_version=attempt.run_version if place == 0 else None)
        except (WrongState, BadInput, NotAllowed, NotFound) as error:
            if place and one["verb"] != Verb.RESTART:
                continue  # the others were done; this one is not legal any more
            return _refused(attempt, error)
        if again is not None:
            attempt.new_workflow_id = again.workflow_id
    return True


def _refused(attempt: RecoveryAttempt, error: WrongState | BadInput | NotAllowed | NotFound) -> bool:
    """The run has moved on since it was looked at: once more, at once. Otherwise that was it."""
    now = database_now()
    if error.field == "version":
        RecoveryAttempt.objects.filter(pk=attempt.pk, state=attempt.state).update(lease_until=now)
    else:
        verdicts.end(attempt, RecoveryAttempt.REFUSED, error.in_words(), now)
    return False


def _may_restart(attempt: RecoveryAttempt, armed: Mapping[str, Armed]) -> bool:
    """Only once the run has ended."""
    run, now = attempt.run, database_now()
    run.refresh_from_db()
    if run.finished_at:
        return True
    patience = attempt.acted_at or attempt.decided_at
    if run.status == "needs_attention":
        verdicts.end(attempt, RecoveryAttempt.FAILED, "a compensation failed; it is to be resolved first", now)
    elif now - patience > verdicts.time_to_work(attempt, armed):
        verdicts.end(attempt, RecoveryAttempt.NO_EFFECT, "the run has not ended", now)
    else:
        _look_again(attempt, now)
    return False


def _look_again(attempt: RecoveryAttempt, now: datetime) -> None:
    RecoveryAttempt.objects.filter(pk=attempt.pk, state=attempt.state).update(lease_until=now + SOON)

"""One act of an attempt, through the services that people use, done once however often it is called."""

from __future__ import annotations

from foundation.errors import Unreachable
from foundation.guarded import guarded, logged
from monitoring.core.recovery.actions import REMIND, TELL, WAKE
from monitoring.models import RecoveryAttempt
from monitoring.recovery import records
from orchestration.core.enums import Answer, Cause, Verb
from orchestration.engines.registry import ENGINES
from orchestration.models import Message, Run
from orchestration.runs.acts import act, restarted_as
from orchestration.runs.delivery import deliver


def done_before(attempt: RecoveryAttempt) -> bool:
    """Whether the first act of the attempt was stored before: then it is only finished."""
    if Message.objects.filter(message_id=records.message_id(attempt)).exists():
        return True
    restarts = any(one["verb"] == Verb.RESTART for one in attempt.acts)
    again = restarted_as(attempt.run.workflow_id, records.restart_id(attempt))
    return restarts and Run.objects.filter(workflow_id=again).exists()


def do(attempt: RecoveryAttempt, place: int, *, if_version: int | None = None) -> Run | None:
    """Do the act at this place of the attempt. A new run where it is a restart.

    `if_version`: only if the run is still at this version.

    Raises:
        WrongState: it is not legal now, or the run has moved on (field `version`).
        NotAllowed, BadInput: as of the act.
    """
    one, run = attempt.acts[place], attempt.run
    if one["verb"] in (TELL, REMIND):
        return None
    if one["verb"] == WAKE:
        wake(run)
        return None
    verb = Verb(one["verb"])
    restart = verb is Verb.RESTART
    again = act(
        workflow_id=run.workflow_id, verb=verb, actor=records.actor_of(attempt), step_id=one["step_id"],
        note=note_of(attempt), answer=Answer.RETRY if verb is Verb.RESOLVE else "",
        cause=Cause(one["cause"]) if one["cause"] else Cause.OPERATOR,
        request_id=records.restart_id(attempt) if restart else records.message_id(attempt, place),
        if_version=None if restart else if_version,
    )  # fmt: skip
    return again if restart else None


def note_of(attempt: RecoveryAttempt) -> str:
    """What the run's audit and history say of it."""
    budget = f"attempt {attempt.number} of {attempt.of}: " if attempt.policy_id else ""
    return f"{budget}{attempt.reason}"[:2000]


def wake(run: Run) -> None:
    """Hand the run over, deliver what is stored for it, and have its engine look at it. Changes no state."""
    engine = ENGINES[run.engine]
    away = logged(records.log, "%s could not be woken", run.workflow_id)

    def quietly(error: Exception) -> None:
        if not isinstance(error, Unreachable):
            away(error)

    if not run.handed_over:
        guarded(lambda: engine.take(run), quietly)
    for message in Message.objects.filter(run=run, delivered_at=None).select_related("run").order_by("pk")[:100]:
        guarded(lambda message=message: deliver(message), quietly)  # type: ignore[misc]
    guarded(lambda: engine.revive(run), quietly)
    engine.wake()

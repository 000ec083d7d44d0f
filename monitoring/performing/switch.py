"""Stop and start recovery on the whole site, and give a run its attempts back."""

from __future__ import annotations

from foundation import audit
from foundation.clock import database_now
from foundation.db import statements
from foundation.errors import NotFound
from foundation.identity import permissions
from foundation.identity.actor import Actor
from foundation.visible_text import clean
from monitoring.models import RecoveryAttempt, RecoverySwitch, RunHealth
from monitoring.recovery.history import chains_of
from monitoring.recovery.publishing import CHAIN
from orchestration.runs import get_run

LONGEST_NOTE = 2000


def stop(*, actor: Actor, note: str = "") -> RecoverySwitch:
    """No policy acts until somebody starts recovery again; what is decided waits. Once more changes nothing.

    Raises:
        NotAllowed: the actor may not manage recovery.
    """
    permissions.require(actor, "recovery.manage")
    with statements.writing():
        known = RecoverySwitch.objects.first()
        if known is not None:
            return known
        made = RecoverySwitch.objects.create(
            pk=1, stopped_by=actor.name, stopped_at=database_now(), note=clean(note)[:LONGEST_NOTE]
        )
        audit.record(actor=actor, action="recovery.stop", workflow_id=CHAIN, note=note)
    return made


def start(*, actor: Actor, note: str = "") -> bool:
    """Let policies act again; False if they did. Raises as `stop`."""
    permissions.require(actor, "recovery.manage")
    with statements.writing():
        was_stopped, _ = RecoverySwitch.objects.all().delete()
        if was_stopped:
            audit.record(actor=actor, action="recovery.start", workflow_id=CHAIN, note=note)
    return bool(was_stopped)


def reset(workflow_id: str, *, actor: Actor, policy_id: str = "", note: str = "") -> int:
    """Give the policies their attempts on a run back, or one policy; returns how many count no more.

    Raises:
        NotAllowed: the actor may not manage recovery.
        NotFound: there is no such run, or nothing was tried on it.
    """
    permissions.require(actor, "recovery.manage")
    run = get_run(workflow_id)
    chain = chains_of({run.pk: run.workflow_id})[run.pk]
    with statements.writing():
        rows = RecoveryAttempt.objects.filter(chain=chain, state__in=RecoveryAttempt.ENDS).exclude(policy_id="")
        if policy_id:
            rows = rows.filter(policy_id=policy_id)
        count = rows.update(chain=0)
        if not count:
            raise NotFound(
                f"no attempt on '{workflow_id}' counts", field="policy_id" if policy_id else "workflow_id",
                remedy=f"see `manage.py recovery attempts --run {workflow_id}`",
            )  # fmt: skip
        RunHealth.objects.filter(pk=run.pk).update(look_at=database_now())
        audit.record(
            actor=actor, action="recovery.reset", workflow_id=run.workflow_id, note=note, attempts=count,
            policy=policy_id,
        )  # fmt: skip
    return count

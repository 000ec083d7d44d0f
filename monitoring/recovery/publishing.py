"""What administrators do with recovery policies: publish, switch, remove."""

from __future__ import annotations

from foundation import audit
from foundation.clock import database_now
from foundation.db import statements
from foundation.db.advisory_lock import lock_by_name
from foundation.errors import BadInput
from foundation.identity import permissions
from foundation.identity.actor import Actor
from monitoring.core import policy_checks
from monitoring.core.policy import Mode, RecoveryPolicy
from monitoring.models import PolicyVersion, RunHealth
from monitoring.recovery.policies import current, policies, unsaved
from orchestration.runs.start_inputs import check_channels

CHAIN = "recovery"
"""The chain of the audit that acts on policies are in; it belongs to no run."""

MOST_POLICIES = 100


def publish(policy: RecoveryPolicy, *, actor: Actor) -> tuple[PolicyVersion, bool]:
    """Put a policy in force; returns its version, and whether anything changed.

    The same fields are the same version; the mode is no part of it. Runs in trouble are held against it at once, other
    open runs within one round; runs that have ended before are left alone.

    Raises:
        NotAllowed: the actor may not manage recovery.
        BadInput: a name of a channel that cannot be, or a policy too many.
    """
    permissions.require(actor, "recovery.manage")
    check_channels(list(policy.notification_channels), field="notification_channels")
    made = unsaved(policy)
    with statements.writing():
        statements.run(*lock_by_name(f"recovery:{policy.policy_id}"))
        known = {row.hash: row for row in PolicyVersion.objects.filter(policy_id=policy.policy_id)}
        row = known.get(made.hash, made)
        if row.current and row.mode == made.mode and row.pk:
            return row, False
        _check_number(policy.policy_id)
        PolicyVersion.objects.filter(policy_id=policy.policy_id, current=True).update(current=False)
        row.version = row.version or 1 + max((one.version for one in known.values()), default=0)
        row.mode, row.current, row.published_at = made.mode, True, database_now()
        row.published_by, row.published_by_id, row.changed_at = actor.name, actor.user_id, row.published_at
        row.save()
        audit.record(
            actor=actor, action="recovery.publish", workflow_id=CHAIN, policy=policy.policy_id, version=row.version,
            mode=row.mode, hash=row.hash,
        )  # fmt: skip
        look_again()
    return row, True


def _check_number(policy_id: str) -> None:
    there = {row.policy_id for row in policies()}
    if len(there | {policy_id}) > MOST_POLICIES:
        raise BadInput(
            f"there are {len(there)} recovery policies", field="policy_id", value=policy_id, remedy="remove one first"
        )


def set_mode(policy_id: str, mode: str, *, actor: Actor) -> PolicyVersion:
    """Switch a policy off, to shadow or live. The same once more changes nothing.

    Raises:
        NotFound: there is no such policy.
        NotAllowed: the actor may not manage recovery.
        BadInput: no such mode.
    """
    permissions.require(actor, "recovery.manage")
    return switch(policy_id, policy_checks.one_of("mode", mode, Mode), actor=actor)


def switch(policy_id: str, mode: str, *, actor: Actor, note: str = "") -> PolicyVersion:
    """The same for callers that need no permission, such as recovery itself. `note`: why, kept in the audit.

    Raises:
        NotFound: there is no such policy.
    """
    row, now = current(policy_id), database_now()
    with statements.writing():
        if PolicyVersion.objects.filter(pk=row.pk, current=True).exclude(mode=mode).update(mode=mode, changed_at=now):
            audit.record(
                actor=actor, action="recovery.mode", workflow_id=CHAIN, note=note, policy=policy_id,
                version=row.version, mode=mode,
            )  # fmt: skip
            look_again()
    row.refresh_from_db()
    return row


def remove(policy_id: str, *, actor: Actor) -> None:
    """Put a policy out of force. Its versions stay, and so do its attempts.

    Raises:
        NotFound: there is no such policy.
        NotAllowed: the actor may not manage recovery.
    """
    permissions.require(actor, "recovery.manage")
    row = current(policy_id)
    with statements.writing():
        if PolicyVersion.objects.filter(pk=row.pk, current=True).update(current=False):
            audit.record(
                actor=actor, action="recovery.remove", workflow_id=CHAIN, policy=policy_id, version=row.version
            )


def look_again() -> None:
    """Open runs in trouble are due for a look, since what applies to them has changed."""
    RunHealth.objects.filter(ended=False).exclude(status="healthy").update(look_at=database_now())

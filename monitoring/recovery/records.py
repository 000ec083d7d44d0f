"""The states of an attempt: each change is one conditional update with its audit row in the run's chain."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import transaction

from foundation import audit, telemetry
from foundation.db import statements
from foundation.identity.actor import Actor
from foundation.identity.permissions import OPERATOR
from foundation.models import AuditEvent
from monitoring.core.recovery.actions import BY_RECOVERY
from monitoring.models import RecoveryAttempt

log = logging.getLogger("workflows")
RESTARTED = "r"


def policy_actor(policy_id: str) -> Actor:
    """Who acts for a policy."""
    return Actor(name=f"{BY_RECOVERY}{policy_id}", door="engine", roles=frozenset({OPERATOR}))


def actor_of(attempt: RecoveryAttempt) -> Actor:
    """Who acts in an attempt: its policy, or the person who asked for it, who was allowed to then."""
    if attempt.policy_id:
        return policy_actor(attempt.policy_id)
    by = attempt.by
    return Actor(
        name=attempt.actor, door=by.get("door", "python"), roles=frozenset({OPERATOR}), user_id=by.get("user_id"),
        owner=by.get("owner", ""), owner_id=by.get("owner_id"),
    )  # fmt: skip


def message_id(attempt: RecoveryAttempt, place: int = 0) -> str:
    """The id of the message of an act of an attempt: the same however often it is sent. `place`: among its acts."""
    return f"recovery:{attempt.pk}" + (f":{place}" if place else "")


def restart_id(attempt: RecoveryAttempt) -> str:
    """What a restart is asked for under: the same however often, and the end of the new run's id."""
    return f"{RESTARTED}{attempt.pk}"


def last_seq(workflow_id: str) -> int:
    """How far the audit of a run has come."""
    found = AuditEvent.objects.filter(workflow_id=workflow_id).order_by("-seq").values_list("seq", flat=True).first()
    return int(found or 0)


def store(attempt: RecoveryAttempt, workflow_id: str) -> RecoveryAttempt:
    """Store a new attempt with its audit row, in the caller's transaction.

    Raises:
        IntegrityError: another is open on the run, or has its number.
    """
    attempt.save(force_insert=True)
    _audit(attempt, workflow_id, "decided" if attempt.state in RecoveryAttempt.OPEN else attempt.state)
    if attempt.state in RecoveryAttempt.OPEN:
        attempt.audit_seq = last_seq(workflow_id)
        attempt.save(update_fields=["audit_seq"])
    return attempt


def move(attempt: RecoveryAttempt, state: str, now: datetime, *, verdict: str = "", **changes: Any) -> bool:
    """Change the state if it is still what this object says, with its audit row; False if another did.

    An end has its `verdict`. `changes`: other columns.
    """
    if state in RecoveryAttempt.ENDS:
        changes |= {"ended_at": now, "verdict": verdict[:2000], "lease_until": None, "waits": "", "brake": ""}
    with statements.writing():
        mine = RecoveryAttempt.objects.filter(pk=attempt.pk, state=attempt.state).update(state=state, **changes)
        if not mine:
            return False
        for name, value in ({"state": state} | changes).items():
            setattr(attempt, name, value)
        _audit(attempt, attempt.run.workflow_id, state, verdict)
    return True


def _audit(attempt: RecoveryAttempt, workflow_id: str, state: str, note: str = "") -> None:
    about: dict[str, Any] = {"attempt": attempt.pk, "recovery_action": attempt.action, "step_id": attempt.step_id}
    if state in ("decided", RecoveryAttempt.SHADOW):
        about |= {"reason": attempt.reason, "facts": attempt.facts, "number": attempt.number, "of": attempt.of}
    audit.record(actor=actor_of(attempt), action=f"recovery.{state}", workflow_id=workflow_id, note=note, **about)
    labels = {"policy_id": attempt.policy_id or "by hand", "action": attempt.action, "state": state}
    transaction.on_commit(lambda: telemetry.count("zen_recovery_attempts_total", **labels), robust=True)

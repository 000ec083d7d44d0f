"""Attempts of recovery as JSON rows and sentences."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from foundation.clock import iso
from monitoring.core.words import check
from monitoring.models import RecoveryAttempt, RecoverySwitch, Storm


def attempts(*, run: str = "", policy_id: str = "", state: str = "") -> QuerySet[RecoveryAttempt]:
    """The attempts that match, the latest first. `run`: a workflow_id; `state`: one of them, or `open`.

    Raises:
        BadInput: a state that there is none of.
    """
    check("state", state, ("open", *RecoveryAttempt.OPEN, *RecoveryAttempt.ENDS))
    found = RecoveryAttempt.objects.select_related("run").order_by("-pk")
    if run:
        found = found.filter(run__workflow_id=run)
    if policy_id:
        found = found.filter(policy_id=policy_id)
    if state:
        found = found.filter(state__in=RecoveryAttempt.OPEN if state == "open" else (state,))
    return found


def attempt_view(attempt: RecoveryAttempt) -> dict[str, Any]:
    """An attempt as REST, the console and Python show it, its run loaded."""
    return {
        "id": attempt.pk,
        "workflow_id": attempt.run.workflow_id,
        "policy_id": attempt.policy_id or None,
        "actor": attempt.actor,
        "number": attempt.number,
        "of": attempt.of,
        "action": attempt.action,
        "step_id": attempt.step_id or None,
        "state": attempt.state,
        "reason": attempt.reason,
        "waits": waits(attempt) or None,
        "approval_id": attempt.approval or None,
        "decided_at": iso(attempt.decided_at),
        "acted_at": iso(attempt.acted_at),
        "ended_at": iso(attempt.ended_at),
        "verdict": attempt.verdict or None,
        "new_workflow_id": attempt.new_workflow_id or None,
    }


def waits(attempt: RecoveryAttempt) -> str:
    """What an attempt that was decided waits for; '' if nothing holds it back."""
    if attempt.state not in (RecoveryAttempt.DECIDED, RecoveryAttempt.AWAITING):
        return ""
    switch = stopped()
    if switch is not None:
        return in_words(switch)
    storm = Storm.objects.filter(pk=attempt.target).first() if attempt.target and attempt.policy_id else None
    if storm is None or attempt.state == RecoveryAttempt.AWAITING:
        return attempt.waits
    before = RecoveryAttempt.objects.filter(
        target=attempt.target, state=RecoveryAttempt.DECIDED, pk__lt=attempt.pk
    ).count()
    what = f"canary 1 of {storm.ramp}" if storm.ramp > 1 else "one is tried at a time"
    return f"{before} before it at {attempt.target}, {what}; next at {storm.next_at:%H:%M:%S}"


def stopped() -> RecoverySwitch | None:
    """Who has stopped recovery on the whole site; None while it goes on."""
    return RecoverySwitch.objects.order_by("pk").first()


def in_words(switch: RecoverySwitch) -> str:
    """That recovery is stopped, as one sentence."""
    note = f": {switch.note}" if switch.note else ""
    return f"recovery is stopped by {switch.stopped_by} since {switch.stopped_at:%Y-%m-%d %H:%M:%S} UTC{note}"


def sentence(attempt: RecoveryAttempt) -> str:
    """One line for a run's page: `retry 1 of 3 by blocked-transient at 12:04:10: watching`."""
    budget = f" {attempt.number} of {attempt.of}" if attempt.policy_id and attempt.number else ""
    at = attempt.acted_at or attempt.decided_at
    told = waits(attempt) or attempt.verdict
    word = attempt.state.replace("_", " ")
    who = attempt.policy_id or attempt.actor
    line = f"{attempt.action}{budget} by {who} at {at:%H:%M:%S}: {word}"
    return line + (f" ({told})" if told else "")


def counts(since: datetime) -> dict[str, int]:
    """Attempts that are open, and those that worked and failed since then; people who were told are none."""
    acted = RecoveryAttempt.objects.filter(number__gt=0, ended_at__gt=since)
    failed = (RecoveryAttempt.FAILED, RecoveryAttempt.NO_EFFECT)
    return {
        "recoveries_open": RecoveryAttempt.objects.filter(state__in=RecoveryAttempt.OPEN).count(),
        "recoveries_worked": acted.filter(state=RecoveryAttempt.WORKED).count(),
        "recoveries_failed": acted.filter(state__in=failed).count(),
    }


def views(rows: Iterable[RecoveryAttempt]) -> list[dict[str, Any]]:
    """Several, in their order."""
    return [attempt_view(row) for row in rows]


def switch_view() -> dict[str, Any]:
    """Whether recovery is stopped on the whole site, as JSON."""
    row = stopped()
    return {
        "stopped": row is not None,
        "stopped_by": row.stopped_by if row is not None else None,
        "stopped_at": iso(row.stopped_at) if row is not None else None,
        "note": row.note or None if row is not None else None,
    }

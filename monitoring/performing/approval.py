"""Ask people before what cannot be taken back, where the policy says so."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model

from approvals.core.content import content_hash
from approvals.core.enums import Status
from approvals.models import Request
from approvals.requests import Ask
from approvals.requests.own_request import ask_as_own
from approvals.requests.rights import asked_it
from foundation.errors import BadInput, NotAllowed
from monitoring.core.enums import RecoveryAction
from monitoring.core.matching import Armed
from monitoring.models import PolicyVersion, RecoveryAttempt
from monitoring.recovery import claims, records, verdicts
from orchestration.core.enums import Verb
from orchestration.runs import preview


def given(attempt: RecoveryAttempt, armed: Armed, now: datetime) -> bool:
    """Whether the attempt may act: nobody has to agree, or somebody has, to exactly this. Asks otherwise."""
    if RecoveryAction(attempt.action) not in armed.policy.needs_approval:
        return True
    wanted = _ask(attempt, armed)
    known = Request.objects.filter(request_id=attempt.approval).first() if attempt.approval else None
    if known is not None and known.content_hash == content_hash(wanted.content()):
        return _decided(attempt, known, now)
    number = f"-{_round(attempt) + 1}" if known is not None else ""  # the run has changed: they are asked anew
    try:
        actor = records.policy_actor(attempt.policy_id)
        request = ask_as_own(
            given=wanted, actor=actor, request_id=f"recovery.{attempt.pk}{number}",
            is_own=lambda request: asked_it(request, actor),
        )  # fmt: skip
    except (BadInput, NotAllowed) as error:
        verdicts.end(attempt, RecoveryAttempt.REFUSED, f"nobody can be asked: {error.in_words()}", now)
        return False
    _wait(attempt, request.request_id, now)
    return False


def _round(attempt: RecoveryAttempt) -> int:
    _, _, number = attempt.approval.partition("~")[0].removeprefix(f"recovery.{attempt.pk}").partition("-")
    return int(number or 1)


def _decided(attempt: RecoveryAttempt, request: Request, now: datetime) -> bool:
    status = Status(request.status)
    if status is Status.APPROVED:
        return True
    if status.is_end:
        verdicts.end(attempt, RecoveryAttempt.REJECTED, f"{request.request_id} is {status}", now)
    else:
        _wait(attempt, request.request_id, now)
    return False


def _wait(attempt: RecoveryAttempt, request_id: str, now: datetime) -> None:
    records.move(
        attempt, RecoveryAttempt.AWAITING, now, approval=request_id, lease_until=now + claims.ASK_AGAIN, acted_at=None,
        waits=f"waits for approval {request_id}", brake="approval",
    )  # fmt: skip


def _ask(attempt: RecoveryAttempt, armed: Armed) -> Ask:
    """What is shown to those who decide. It is the same as long as the run stays as it is."""
    run, row = attempt.run, PolicyVersion.objects.filter(pk=armed.version_id).first()
    lines = [line for one in attempt.acts for line in _lines(attempt, one)]
    what = "\n".join(f"- {line}" for line in lines)
    return Ask(
        stage="recovery", about=run.workflow_id, step_id=attempt.step_id, policy=armed.policy.approval_policy,
        title=f"{attempt.action} {run.workflow_id}"[:200],
        description=f"The recovery policy {attempt.policy_id} wants to {attempt.action} the run '{run.workflow_id}'."
        f"\n\n{attempt.reason}\n\n{what}",
        action={"type": "recovery", "action": attempt.action, "acts": attempt.acts},
        context={
            "facts": attempt.facts,
            "policy_id": attempt.policy_id,
            "attempt": f"{attempt.number} of {attempt.of}",
        },
        author=_publisher(row),
    )  # fmt: skip


def _publisher(row: PolicyVersion | None) -> str:
    """Who published the policy, by the name of today, and so cannot decide it; '' of one that came with Zen."""
    if row is None or row.published_by_id is None:
        return ""
    account = get_user_model().objects.filter(pk=row.published_by_id).first()
    return account.get_username() if account is not None else ""


def _lines(attempt: RecoveryAttempt, one: dict[str, Any]) -> list[str]:
    """What the act would do, as people see it before they act themselves."""
    found = preview(
        workflow_id=attempt.run.workflow_id, verb=Verb(one["verb"]), actor=records.actor_of(attempt),
        step_id=one["step_id"],
    )  # fmt: skip
    return [f"{one['verb']} {one['step_id']}".strip(), *found.lines]

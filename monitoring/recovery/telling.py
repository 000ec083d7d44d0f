"""Tell people what recovery cannot mend: once a run, where the policy says so and at its end."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import Q

from approvals.models import Request
from approvals.requests import remind
from foundation.errors import ZenError
from foundation.guarded import guarded
from foundation.identity.actor import Actor
from foundation.identity.permissions import OPERATOR
from monitoring.alerting.addresses import run_page
from monitoring.core.enums import RecoveryAction
from monitoring.core.matching import Armed
from monitoring.core.policy import Mode
from monitoring.models import PolicyVersion, RecoveryAttempt, RunHealth
from monitoring.recovery import records
from monitoring.recovery.candidates import Candidate
from monitoring.recovery.publishing import switch
from notifications.message import Message, Person, verbatim
from notifications.services import existing_channels, notify, of_account, reachable
from orchestration.models import Run

MOST_PEOPLE = 200
IN_A_ROW = 5
"""Runs that a live policy could not mend, one after the other, after which it only writes down what it would do."""


def tell(
    one: Candidate, armed: Armed, chain: int, action: RecoveryAction, now: datetime, *, exhausted: bool, aloud: bool
) -> None:
    """Tell of a run what a policy's NOTIFY or ESCALATE says, once; note that the policy has nothing left on it.

    `aloud`: False where the policy does not say so: then it is only noted.
    """
    policy, facts, issue = armed.policy, one.facts, one.issue()
    spent = f"all {policy.max_recovery_attempts} attempts of {policy.policy_id} are spent"
    told = ", ".join(_send(one, armed, action, spent if exhausted else "")) if aloud else ""
    row = RecoveryAttempt(
        run_id=facts.run_id, chain=chain, policy_id=policy.policy_id, version_id=armed.version_id, of=0,
        action=action.value, acts=[], run_version=facts.version, actor=records.policy_actor(policy.policy_id).name,
        reason=issue.sentence if issue else f"the run is {facts.status}", target=issue.target if issue else "",
        issue=issue.code if issue else "", state=RecoveryAttempt.WORKED, decided_at=now, ended_at=now,
        verdict=("told " + (told or "nobody")) if aloud else spent, exhausted=exhausted,
    )  # fmt: skip
    known = RecoveryAttempt.objects.filter(chain=chain, policy_id=policy.policy_id, number=0, action=action.value)
    if not known.exists():
        try:
            with transaction.atomic():
                records.store(row, facts.workflow_id)
        except IntegrityError:
            return  # another watcher tells
    elif exhausted:
        known.update(exhausted=True)
    if exhausted:
        RunHealth.objects.filter(pk=facts.run_id).update(look_at=now)
        _to_shadow(policy.policy_id)


def _send(one: Candidate, armed: Armed, action: RecoveryAction, spent: str) -> list[str]:
    policy, facts = armed.policy, one.facts
    urgent = action is RecoveryAction.ESCALATE
    if urgent and facts.kind not in Run.SAGAS:
        _remind(one, armed)
    wanted = list(policy.notification_channels)
    names = existing_channels(wanted)
    people = _people(policy.escalate_to) if urgent or not names else []
    if not names and not people:
        return []
    issue = one.issue()
    what = issue.sentence if issue else f"the run is {facts.status}"
    lines = [verbatim(what), spent, verbatim(issue.act.text) if issue and issue.act else ""]
    notify(
        subject=f"run:{facts.run_id}:recovery", kind=f"recovery.{action.value}",
        message=Message(
            title=f"{facts.saga_id} {facts.workflow_id}: {what}"[:300], text="\n\n".join(filter(None, lines)),
            url=run_page(facts.run_id),
        ),
        people=people, channels=names, dedupe=f"recovery:{policy.policy_id}:{facts.run_id}:{action.value}",
        urgent=urgent, capped=False,
    )  # fmt: skip
    return [*names, *(person.name for person in people)]


def by_hand(run: Run, action: RecoveryAction, reason: str, actor: Actor) -> list[str]:
    """Tell the run's own channels what a person says of it, and the operators where it is urgent; returns whom."""
    urgent = action is RecoveryAction.ESCALATE
    request = Request.objects.filter(run=run).first() if urgent else None
    if request is not None and run.finished_at is None:
        remind(request_id=request.request_id, actor=actor, note=reason)
        return [f"those who decide {request.request_id}"]
    wanted = list(run.config.get("notification_channels") or ())
    names = existing_channels(wanted)
    people = _people([f"group:{OPERATOR}"]) if urgent or not names else []
    if names or people:
        notify(
            subject=f"run:{run.pk}:recovery", kind=f"recovery.{action.value}",
            message=Message(
                title=f"{run.workflow_id}: {reason}"[:300], text=verbatim(f"{actor.name}: {reason}"),
                url=run_page(run.pk),
            ),
            people=people, channels=names, dedupe=f"recovery:by-hand:{run.pk}:{uuid.uuid4().hex}", urgent=urgent,
            capped=False,
        )  # fmt: skip
    return [*names, *(person.name for person in people)]


def _people(whom: object) -> list[Person]:
    """Those that `escalate_to` names: `group:NAME`, or accounts."""
    names = [str(name) for name in whom] if isinstance(whom, list | tuple) else []
    groups = [name.removeprefix("group:") for name in names if name.startswith("group:")]
    found = get_user_model().objects.filter(is_active=True).filter(Q(groups__name__in=groups) | Q(username__in=names))
    users = found.distinct().order_by("pk")[:MOST_PEOPLE]
    return reachable([of_account(user) for user in users])


def _remind(one: Candidate, armed: Armed) -> None:
    request = Request.objects.filter(run_id=one.facts.run_id).first()
    if request is None:
        return
    actor = records.policy_actor(armed.policy_id)

    def reminded() -> None:
        with transaction.atomic():
            remind(request_id=request.request_id, actor=actor, note="by a recovery policy")

    def too_soon(error: Exception) -> None:
        if not isinstance(error, ZenError):
            raise error

    guarded(reminded, too_soon)


def _to_shadow(policy_id: str) -> None:
    """After five runs in a row that it could not mend."""
    last = RecoveryAttempt.objects.filter(policy_id=policy_id, number__gt=0, state=RecoveryAttempt.WORKED)
    worked = last.order_by("-pk").values_list("pk", flat=True).first() or 0
    spent = RecoveryAttempt.objects.filter(policy_id=policy_id, exhausted=True, pk__gt=worked)
    if spent.values("chain").distinct().count() < IN_A_ROW:
        return
    if PolicyVersion.objects.filter(policy_id=policy_id, current=True, mode=Mode.LIVE).exists():
        note = f"{IN_A_ROW} runs in a row were not mended by it"
        switch(policy_id, Mode.SHADOW, actor=records.policy_actor(policy_id), note=note)

"""A run among those of an alert: who acts on it, whether a verb is legal, and what came of a retry."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from foundation.errors import BadInput
from foundation.identity import permissions
from foundation.identity.actor import Actor
from monitoring.models import Job
from orchestration.core.enums import Answer, StepStatus, UndoStatus, Verb
from orchestration.models import Command, Run, Step
from orchestration.runs.acts import event_for, permission_for, why_not

MOST_OPEN = 20
"""Jobs that are open at a time; one after the other is done."""


def refuse_too_many_jobs() -> None:
    """Refuse one more where so many are open. Raises BadInput."""
    if Job.objects.filter(state=Job.OPEN).count() >= MOST_OPEN:
        raise BadInput(f"{MOST_OPEN} jobs are open", field="jobs", remedy="wait until one is done")


def told_by(actor: Actor) -> dict[str, Any]:
    """The actor as a job keeps it."""
    scopes = sorted(actor.scopes) if actor.scopes is not None else None
    return {
        "name": actor.name, "door": actor.door, "roles": sorted(actor.roles), "scopes": scopes, "owner": actor.owner,
        "user_id": actor.user_id, "owner_id": actor.owner_id,
    }  # fmt: skip


def account_of(told: dict[str, Any]) -> Actor:
    """The actor again, with the roles that the account has by now; none once it is gone or switched off."""
    roles = frozenset(told["roles"])
    if told["user_id"] is not None:
        user = get_user_model().objects.filter(pk=told["user_id"]).first()
        roles &= permissions.roles_of(user) if user is not None else frozenset()
    scopes = frozenset(told["scopes"]) if told["scopes"] is not None else None
    return Actor(
        name=told["name"], door=told["door"], roles=roles, scopes=scopes, owner=told["owner"],
        user_id=told["user_id"], owner_id=told["owner_id"],
    )  # fmt: skip


def why_not_on(run: Run, verb: Verb, step_id: str, code: str, actor: Actor) -> str:
    """Why the verb is not legal on the run now, or not allowed to the actor; '' when it is."""
    if not permissions.may(actor, permission_for(verb)):
        return "your roles do not allow it"
    if verb is Verb.RESTART:
        return why_not(run, verb, None)
    if verb is Verb.RETRY and code == "undo_failed":
        verb = Verb.RESOLVE
    event = event_for(verb=verb, actor=actor, step_id=step_id, note="-", answer=Answer.RETRY)
    return why_not(run, verb, event)


def came_of(run_id: int, step_id: str, version: int) -> tuple[str, str]:
    """(worked or failed, why) of a retry that was asked for at this version of the run; '' while it is on its way."""
    step = Step.objects.filter(run_id=run_id, step_id=step_id).values("status", "undo", "version").first()
    if step is None or step["version"] <= version:
        return "", ""
    idle = step["undo"] == UndoStatus.NOT_NEEDED
    if step["undo"] == UndoStatus.COMPENSATED or (step["status"] == StepStatus.SUCCEEDED and idle):
        return "worked", ""
    if step["undo"] == UndoStatus.FAILED or (step["status"] in (StepStatus.FAILED, StepStatus.UNKNOWN) and idle):
        last = Command.objects.filter(run_id=run_id, step_id=step_id, kind="run_action", status=Command.DONE).last()
        return "failed", last.error[:300] if last is not None else ""
    return "", ""

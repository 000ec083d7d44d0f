"""One deployment of a name at a time: the run that was there first has it until it ends."""

from __future__ import annotations

from django.db.models import QuerySet

from orchestration.actions.errors import Refused, TryLater
from orchestration.core.deployment import deployment_saga_id
from orchestration.models import Definition, Run
from orchestration.runs.definitions import is_own

CLAIM_STEP = "release"


def claim(name: str, workflow_id: str) -> None:
    """Go on only when no other deployment of this name is under way. To be called by its first step.

    Of two that begin at the same moment the older goes on: the newer sees it and is refused, or has claimed before the
    older could be seen.

    Raises:
        Refused: another deployment is under way; the message names its run.
        TryLater: a newer one began and has not said yet whether it goes on.
    """
    me = Run.objects.only("pk").get(workflow_id=workflow_id)
    others = open_deployments(name).exclude(pk=me.pk)
    for other in others:
        if other.pk < me.pk or _has_claimed(other):
            raise Refused(
                f"run '{other.workflow_id}' deploys '{name}' and is {other.status}; wait for its end, or abort it"
            )
        if other.commands.filter(step_id=CLAIM_STEP, purpose="forward", status="running").exists():
            raise TryLater(f"run '{other.workflow_id}' begins to deploy '{name}' at this moment", after=1)


def open_deployments(name: str) -> QuerySet[Run]:
    """The runs that deploy this name and have not ended, the oldest first."""
    return Run.objects.filter(definition__in=_definitions(name), finished_at=None).order_by("pk")


def last_version(name: str) -> str:
    """What the last deployment of this name that completed has deployed; '' when there is none."""
    run = Run.objects.filter(definition__in=_definitions(name), status="completed").order_by("-pk").first()
    return "" if run is None else str(run.context.get("commit") or "")


def _has_claimed(run: Run) -> bool:
    return run.commands.filter(step_id=CLAIM_STEP, purpose="forward", outcome="succeeded").exists()


def _definitions(name: str) -> list[int]:
    """Those that Zen has compiled: a saga of this name may be anybody's, and would block or steer deployments."""
    return [one.pk for one in Definition.objects.filter(saga_id=deployment_saga_id(name)) if is_own(one)]

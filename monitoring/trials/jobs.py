"""Jobs: asked for here, done in small portions by whoever watches, one of them at a time under a lease."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Q

from foundation.clock import database_now, iso
from foundation.db import statements
from foundation.db.outages import AWAY
from foundation.errors import BadInput, NotFound
from foundation.guarded import guarded
from foundation.identity import permissions
from foundation.identity.actor import Actor
from monitoring.core.policy import RecoveryPolicy
from monitoring.models import Job
from monitoring.trials import alert_acts, back_test, dry_run, members

log = logging.getLogger("workflows")

LEASE = timedelta(seconds=30)
"""A portion takes a fraction of a second; whoever has died over one is waited for so long."""

WORKS_FOR, AT_ONCE = 0.4, 5.0
"""Seconds: of a worker's time; of a process that does nothing else."""

KEPT = timedelta(days=30)
PORTIONS: Mapping[str, Callable[[Job], None]] = {
    Job.DRY: dry_run.portion, Job.BACK: back_test.portion, Job.ACT: alert_acts.portion,
}  # fmt: skip


def ask_dry_run(policy: RecoveryPolicy, *, actor: Actor) -> Job:
    """Ask what a policy would do now about the runs that are open.

    Raises:
        NotAllowed: the actor may not manage recovery.
        BadInput: too many jobs are open.
    """
    permissions.require(actor, "recovery.manage")
    work, of = dry_run.begin(policy)
    return _asked(Job.DRY, {"policy": policy.body()}, work, of, actor)


def ask_back_test(policy: RecoveryPolicy, *, actor: Actor, days: int = back_test.DAYS) -> Job:
    """Ask what a policy would have done about the runs that ended within the last `days`, the latest 10,000 at most.

    Raises:
        NotAllowed: the actor may not manage recovery.
        BadInput: days are not 1 to 400, or too many jobs are open.
    """
    permissions.require(actor, "recovery.manage")
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= back_test.MOST_DAYS:
        raise BadInput(
            f"days is {days!r}", field="days", value=repr(days)[:40], remedy=f"1 to {back_test.MOST_DAYS}"
        )  # fmt: skip
    work, of = back_test.begin(policy, days)
    return _asked(Job.BACK, {"policy": policy.body(), "days": days}, work, of, actor)


def _asked(kind: str, body: dict[str, Any], work: dict[str, Any], of: int, actor: Actor) -> Job:
    members.refuse_too_many_jobs()
    now = database_now()
    with statements.writing():
        Job.objects.filter(created_at__lt=now - KEPT).delete()
        return Job.objects.create(kind=kind, body=body, work=work, of=of, actor=actor.name, created_at=now)


def job_by_id(pk: int) -> Job:
    """The job.

    Raises:
        NotFound: there is none, or it was forgotten.
    """
    found = Job.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound(f"there is no job {pk}", field="id", remedy="jobs are kept for 30 days")
    return found


def job_view(job: Job) -> dict[str, Any]:
    """A job as JSON; `results` None until it is done."""
    return {
        "id": job.pk,
        "kind": job.kind,
        "state": job.state,
        "done": job.done,
        "of": job.of,
        "body": job.body,
        "actor": job.actor,
        "results": job.results,
        "error": job.error or None,
        "created_at": iso(job.created_at),
        "ended_at": iso(job.ended_at),
    }


def perform_some() -> bool:
    """Go on with the oldest open job that nobody is at, for less than a second; whether there was one."""
    job = Job.objects.filter(_free(), state=Job.OPEN).order_by("pk").first()
    return job is not None and go_on(job)


def go_on(job: Job) -> bool:
    """Go on with this job for less than a second, unless somebody is at it; whether it was gone on with."""
    if job.state != Job.OPEN or not _claimed(job):
        return False
    _perform(job, WORKS_FOR)
    job.refresh_from_db()
    return True


def done_now(job: Job) -> Job:
    """The job once it is done, by this process or whoever is at it; for callers that wait, such as the console."""
    while job.state == Job.OPEN:
        if _claimed(job):
            _perform(job, AT_ONCE)
        else:
            time.sleep(0.2)
        job.refresh_from_db()
    return job


def _free() -> Q:
    return Q(lease_until=None) | Q(lease_until__lte=database_now())


def _claimed(job: Job) -> bool:
    with statements.writing():
        until = database_now() + LEASE
        found = Job.objects.filter(_free(), pk=job.pk, state=Job.OPEN).update(lease_until=until)
    job.refresh_from_db()
    return bool(found)


def _perform(job: Job, seconds: float) -> None:
    """Do portions for so many seconds, or until it is done. Nothing is stored once another has the lease."""
    lease, began = job.lease_until, time.monotonic()

    def work() -> None:
        while job.results is None and time.monotonic() - began < seconds:
            PORTIONS[job.kind](job)

    def failed(error: Exception) -> None:
        if isinstance(error, AWAY):
            raise error  # the job goes on from where it was stored once its lease is over
        job.error = f"{type(error).__name__}: {error}"[:500]
        log.warning("job %s failed: %s", job.pk, job.error)

    guarded(work, failed)
    changes: dict[str, Any] = {"done": job.done, "work": job.work, "lease_until": None}
    if job.error or job.results is not None:
        state = Job.FAILED if job.error else Job.DONE
        changes |= {"state": state, "work": {}, "results": job.results, "error": job.error, "ended_at": database_now()}
    with statements.writing():
        Job.objects.filter(pk=job.pk, lease_until=lease).update(**changes)

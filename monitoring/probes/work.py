"""The probes of workers, and of what waits for them."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from foundation.clock import now
from monitoring.examine import Finding, State, own_connection
from orchestration.core.enums import RunStatus
from orchestration.engines.base import TROUBLE
from orchestration.ledger.live_workers import (
    START_ONE,
    TO_START,
    engines_alive,
    failing,
    how_to_serve,
    orphaned,
    outages,
    unserved,
)
from orchestration.models import Command, Message, Run

LATE = timedelta(seconds=30)
MOST_TROUBLED = 5
TROUBLE_REMEDY = "reinstall the release that these runs were started with, or install one that knows their flow version"


@own_connection
def workers() -> Finding:
    """Whether a worker of each engine and queue is alive, and whether its services work."""
    alive = engines_alive()
    counted = ", ".join(f"{alive.count(engine)} {engine}" for engine in sorted(set(alive))) or "none"
    wanted = {"celery"} | ({"temporal"} if settings.TEMPORAL_ADDRESS else set())
    missing = sorted(wanted - set(alive))
    alone = [(engine, queue) for engine, queue in unserved() if engine not in missing]
    broken, held = failing(), outages()
    if not missing and not alone and not broken:
        return Finding(state=State.OK, detail="; ".join([counted, *held]))
    said = [f"no worker for {' and '.join(missing)}"] if missing else []
    said += [f"no {engine} worker serves the queue '{queue}', which runs on their way need" for engine, queue in alone]
    remedies = [TO_START[engine] for engine in missing] + [how_to_serve(engine, queue) for engine, queue in alone]
    remedies += ["see the worker's log; it keeps trying by itself"] if broken else []
    detail = "; ".join([counted, *said, *broken, *held])
    return Finding(state=State.WARNING, detail=detail, remedy="; ".join(remedies))


@own_connection
def backlog() -> Finding:
    """What has waited for more than 30 s: hand-overs, messages, commands; and runs whose engine has trouble."""
    late = now() - LATE
    waiting = {
        "runs not handed over": Run.objects.filter(handed_over=False, created_at__lt=late).count(),
        "messages not delivered": Message.objects.filter(delivered_at=None, created_at__lt=late).count(),
        "runs that no temporal worker has begun": Run.objects.filter(
            engine="temporal", kind__in=Run.SAGAS, status=RunStatus.PENDING, handed_over=True, created_at__lt=late
        ).count(),
        "commands overdue": Command.objects.filter(status=Command.READY, due_at__lt=late).count(),
        "steps begun by a worker that is gone": orphaned(Command.objects.all()).count(),
    }
    said = ", ".join(f"{count} {what}" for what, count in waiting.items() if count)
    troubled = list(Run.objects.filter(finished_at=None, error__startswith=TROUBLE).order_by("id")[:MOST_TROUBLED])
    if troubled:
        named = "; ".join(f"run '{run.workflow_id}': {run.error}" for run in troubled)
        unmanned = all(START_ONE in run.error for run in troubled)
        remedy = "start the workers that are named there (docs/upgrading.md)" if unmanned else TROUBLE_REMEDY
        return Finding(state=State.WARNING, detail=", ".join(filter(None, [said, named])), remedy=remedy)
    if not said:
        return Finding(state=State.OK, detail="nothing waits longer than 30 s")
    return Finding(state=State.WARNING, detail=said, remedy="see that a worker runs for each engine (above)")

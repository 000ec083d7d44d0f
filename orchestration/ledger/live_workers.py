"""Which workers are alive, by their leases; and what a person starts when one is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet

from foundation.clock import now
from orchestration.core import queues
from orchestration.ledger.plan_cache import plan_for
from orchestration.models import Command, Run, Worker

TO_START = {"celery": "celery -A zen_project worker -B", "temporal": "python manage.py temporal_worker"}
START_ONE = "start one: "
"""Stands before the command in what is said of a worker that is missing."""

OF_TEMPORAL = ":t"
"""How the lease of a temporal worker ends, so that one process may hold both."""

SERVER = "temporal server"
"""The part of a temporal worker that fails while it cannot reach its server: then it serves no queue."""


def engines_alive() -> list[str]:
    """The engine of each living worker."""
    return list(_alive().values_list("engine", flat=True))


def queues_served(engine: str) -> dict[str, int]:
    """{queue: threads of all workers together}.

    A worker of a release that knew no queues does not name any: it serves the default one.
    """
    served: Counter[str] = Counter()
    for detail in _alive().filter(engine=engine).values_list("detail", flat=True):
        if not _cut_off_since(detail):
            served.update(_queues_in(detail))
    return dict(served)


def _queues_in(detail: Mapping[str, Any]) -> dict[str, int]:
    return dict(detail.get("queues") or {queues.DEFAULT: 1})


def _cut_off_since(detail: Mapping[str, Any]) -> str:
    """Since when the worker has not reached its server; '' while it does."""
    return str(((detail.get("failing") or {}).get(SERVER) or {}).get("since", ""))


def versions_serving() -> set[tuple[str, str | None]]:
    """(queue, version) of the living temporal workers: `deployment:build`, '' without a deployment, None where a worker
    of a release before does not say."""
    found = list(_alive().filter(engine="temporal").values_list("detail", flat=True))
    return {(queue, one.get("version")) for one in found if not _cut_off_since(one) for queue in _queues_in(one)}


def version_in_words(version: str) -> str:
    """`deployment:build` in words."""
    deployment, _, build = version.partition(":")
    return f"build {build} of the deployment {deployment}"


def how_to_serve(engine: str, queue: str) -> str:
    """The command that starts a worker for a queue."""
    start = TO_START.get(engine, "")
    return start if queue == queues.DEFAULT else f"ZEN_WORKER_QUEUES={queues.DEFAULT}:8,{queue}:4 {start}"


def words_on_queue(engine: str, queue: str, served: Mapping[str, int]) -> str:
    """In words: that no worker serves a queue, and what to do; '' when one does."""
    if queue in served:
        return ""
    for name, detail in _alive().filter(engine=engine).order_by("name").values_list("name", "detail"):
        since = _cut_off_since(detail)
        if since and queue in _queues_in(detail):
            error = detail["failing"][SERVER].get("error", "")
            return f"worker {name}, which serves the queue '{queue}', has not reached its server since {since}: {error}"
    meant = queues.meant(queue, served)
    near = f" (served is '{meant}')" if meant else ""
    return f"no {engine} worker serves the queue '{queue}'{near}; {START_ONE}{how_to_serve(engine, queue)}"


def failing() -> list[str]:
    """In words, what living workers say that fails in them or has failed: one entry for each worker and part."""
    found = []
    for name, detail in _alive().order_by("name").values_list("name", "detail"):
        for part, told in (detail.get("failing") or {}).items():
            if told.get("since"):
                found.append(f"{part} of worker {name} fails since {told['since']}: {told.get('error', '')}")
            if told.get("begun_anew"):
                found.append(f"a thread of {part} of worker {name} died and was restarted ({told['begun_anew']} times)")
    return found


def outages() -> list[str]:
    """In words, what the last hour's outages of the database held up in living workers."""
    found = []
    for name, detail in _alive().order_by("name").values_list("name", "detail"):
        held = detail.get("outage") or {}
        if held.get("results"):
            found.append(
                f"the database was away from worker {name} until {held['ended_at']}: "
                f"{held['results']} results waited for it, at most {held['seconds']:g} s"
            )
        if held.get("waiting"):
            found.append(f"{held['waiting']} results of worker {name} wait for the database")
        if silent := detail.get("silent"):
            found.append(
                f"{silent['connections']} connections of worker {name} to the database fell silent and were closed, "
                f"the last at {silent['at']}; check the network between it and the database"
            )
    return found


MOST_LOOKED_AT = 500
"""Definitions of runs on their way, the latest first, whose queues are looked at."""


def unserved() -> list[tuple[str, str]]:
    """(engine, queue) of what runs on their way need now or later, and no living worker serves."""
    open_runs = Run.objects.filter(finished_at=None, kind__in=Run.SAGAS).order_by()
    kinds = open_runs.values("engine", "definition_id").order_by("-definition_id").distinct()[:MOST_LOOKED_AT]
    needed = {(one["engine"], queue) for one in kinds for queue in _queues_of_definition(one["definition_id"])}
    waiting = Command.objects.filter(status=Command.READY, kind="run_action").exclude(queue=queues.DEFAULT)
    needed |= set(waiting.values_list("run__engine", "queue").distinct())
    served = {engine: queues_served(engine) for engine in {engine for engine, _ in needed}}
    return sorted((engine, queue) for engine, queue in needed if queue not in served[engine])


def _queues_of_definition(definition_id: int) -> Iterable[str]:
    return {step.queue for step in plan_for(definition_id, {}).steps.values()}


def has_worker(engine: str) -> bool:
    """Whether a worker of this engine is alive."""
    return _alive().filter(engine=engine).exists()


def orphaned(commands: QuerySet[Command]) -> QuerySet[Command]:
    """Those that a lost worker had claimed.

    The own engine's next sweep makes them ready again; Temporal tells its workers.
    """
    names = {name.removesuffix(OF_TEMPORAL) for name in _alive().values_list("name", flat=True)}
    return commands.filter(status=Command.RUNNING).exclude(worker="").exclude(worker__in=names)


def words_on(run: Run, in_hand: Command) -> str:
    """What happens to an attempt whose worker is lost; '' while the worker lives."""
    if not orphaned(Command.objects.filter(pk=in_hand.pk)).exists():
        return ""
    version = _version_of(in_hand.worker)
    if version and version not in {one for _, one in versions_serving()}:
        return f"; its worker is gone, and none of {version_in_words(version)} runs now"
    if has_worker(run.engine):
        return "; its worker is gone, and another takes it up"
    return f"; its worker is gone, and none runs now: {TO_START.get(run.engine, '')}"


def _version_of(worker: str) -> str:
    """`deployment:build` of a temporal worker, while its row is kept."""
    detail = Worker.objects.filter(name=worker + OF_TEMPORAL).values_list("detail", flat=True).first()
    return str((detail or {}).get("version") or "")


def _alive() -> QuerySet[Worker]:
    return Worker.objects.filter(lease_until__gt=now())

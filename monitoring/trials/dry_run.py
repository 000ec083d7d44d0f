"""What a policy would do now about the runs that are open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import F

from foundation.clock import database_now, iso
from monitoring.core.conditions import could_match, why
from monitoring.core.matching import Armed, arm, held_off_until
from monitoring.core.policy import RecoveryPolicy, from_body
from monitoring.core.replay.deciding import next_step
from monitoring.models import Job, RunHealth
from monitoring.recovery.history import History, chains_of, histories
from monitoring.trials.brakes import Brakes, brakes_of
from monitoring.watch.judge import Judged, judge
from monitoring.watch.site import away
from orchestration.models import Run

MOST_SHOWN, PAGE, AT_ONCE = 1000, 2000, 100


def begin(policy: RecoveryPolicy) -> tuple[dict[str, Any], int]:
    """Where it begins, and how many runs are open."""
    return {"after": 0, "left": [], "matched": 0, "runs": []}, Run.objects.filter(finished_at=None).count()


def portion(job: Job) -> None:
    """Look at some more runs, the oldest first; the results once there is none left."""
    armed, work = arm(from_body(job.body["policy"])), job.work
    if not work["left"]:
        ids = list(Run.objects.filter(finished_at=None, pk__gt=work["after"]).order_by("pk").values_list("pk")[:PAGE])
        if not ids:
            job.results = {"of": job.done, "matched": work["matched"], "runs": work["runs"]}
            return
        work["after"] = ids[-1][0]
        work["left"] = _possible([pk for (pk,) in ids], armed)
        job.done += len(ids)
    part, work["left"] = work["left"][:AT_ONCE], work["left"][AT_ONCE:]
    found = [
        one for one in judge(part, away(), armed=[armed]) if armed.policy_id in one.matched and not one.facts.ended
    ]
    chains = chains_of({one.facts.run_id: one.facts.workflow_id for one in found})
    known, brakes = histories(chains.values()), brakes_of(armed)
    for one in found:
        work["matched"] += 1
        before = known.get((chains[one.facts.run_id], armed.policy_id, False)) or History()
        if len(work["runs"]) < MOST_SHOWN:
            work["runs"].append(_view(one, armed, brakes, before, len(work["runs"])))


def _possible(run_ids: Sequence[int], armed: Armed) -> list[int]:
    """Those that could match, by what is known of them without reading their rows. Runs without health are asked."""
    fresh = RunHealth.objects.filter(pk__in=run_ids, version=F("run__version"), look_at__gt=database_now())
    known = {row.run_id: row for row in fresh.only("status", "issues")}
    found = []
    rows = Run.objects.filter(pk__in=run_ids).values_list("pk", "kind", "definition__saga_id", "engine", "status")
    for pk, kind, saga_id, engine, status in rows.order_by("pk"):
        values: dict[str, Any] = {
            "kind": kind, "workflow_type": kind, "saga_id": saga_id, "engine": engine, "status": status,
        }  # fmt: skip
        if (row := known.get(pk)) is not None:
            values |= {"health": row.status, "issue": frozenset(issue["code"] for issue in row.issues)}
        if armed.policy.applies_to(kind, saga_id) and could_match(armed.condition, values):
            found.append(pk)
    return found


def _view(one: Judged, armed: Armed, brakes: Brakes, history: History, before: int) -> dict[str, Any]:
    """What would be done about a run; `waits`: what would put it off; `refusal`: why no action is legal."""
    step = next_step(armed, one.facts, history.spent, history.told)
    since = one.matched[armed.policy_id]
    acts = step.action is not None
    asks = acts and step.action in armed.policy.needs_approval
    return {
        "workflow_id": one.facts.workflow_id,
        "status": one.facts.status.value,
        "since": iso(since),
        "acts_at": iso(held_off_until(armed.policy, since)) if acts else None,
        "action": step.action.value if step.action else None,
        "rung": step.rung + 1 if step.rung is not None else None,
        "tells": [action.value for action in step.tell],
        "refusal": None if acts or not step.passed else step.passed[0][1],
        "needs_approval": asks,
        "approval_policy": armed.policy.approval_policy if asks else None,
        "exhausted": history.exhausted or step.exhausted,
        "waits": brakes.waits(one.facts, step.action, before) if step.action is not None else None,
        "why": why(armed.condition, one.metrics),
    }

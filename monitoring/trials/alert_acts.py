"""One verb on all runs of an alert: previewed, then done by a job, one run first, then 2, 4, 8 …

The runs are those that the alert had when it was asked. After a retry the job waits for what comes of it; where more
than half of a batch fail again, it stops, and the others are left alone.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from foundation import audit
from foundation.clock import database_now, iso
from foundation.db import statements
from foundation.errors import BadInput, NotAllowed, WrongState, ZenError
from foundation.identity import permissions
from foundation.identity.actor import Actor
from foundation.visible_text import clean
from monitoring.alerting.acts import CHAIN, LONGEST_NOTE, alert_by_id
from monitoring.models import Alert, AlertMember, AlertNote, Job
from monitoring.trials.members import account_of, came_of, refuse_too_many_jobs, told_by, why_not_on
from orchestration.core.enums import Answer, Verb
from orchestration.models import Run
from orchestration.runs.acts import NEEDS_STEP, act, permission_for

VERBS = (Verb.RETRY, Verb.SKIP, Verb.HOLD, Verb.RELEASE, Verb.ABORT, Verb.RESTART)
"""What may be done to many runs at once; nothing that a person has to look at run by run."""

MOST, SHOWN = 1000, 200
LARGEST_BATCH = 64
WAITS = timedelta(seconds=60)
"""For what comes of a retry; then the run counts as on its way."""

PAUSE = 0.2


def preview_act(pk: int, verb: str, *, actor: Actor) -> dict[str, Any]:
    """What the verb would do to the alert's runs now; changes nothing.

    {"alert_id", "verb", "of", "legal", "runs": [{"workflow_id", "step_id", "legal", "why"}]}, of the first 200 runs.

    Raises:
        NotFound: there is no such alert.
        BadInput: another verb.
        WrongState: the alert has no runs.
    """
    chosen, alert = _verb(verb), alert_by_id(pk)
    members = _members(alert, chosen)
    runs = {run.pk: run for run in Run.objects.filter(pk__in=[one[0] for one in members[:SHOWN]])}
    rows: list[dict[str, Any]] = []
    for run_id, step_id, code in members[:SHOWN]:
        run = runs.get(run_id)
        why = why_not_on(run, chosen, step_id, code, actor) if run is not None else "the run is gone"
        rows.append({
            "workflow_id": run.workflow_id if run is not None else "", "step_id": step_id or None, "legal": not why,
            "why": why or None,
        })  # fmt: skip
    legal = sum(bool(row["legal"]) for row in rows)
    return {"alert_id": pk, "verb": chosen.value, "of": len(members), "legal": legal, "runs": rows}


def ask_act(pk: int, verb: str, *, actor: Actor, note: str = "") -> Job:
    """Ask for the verb on all runs that the alert has now, 1,000 at most; a job does it, one run first.

    Raises:
        NotAllowed: the actor may not act on alerts, or not use this verb.
        NotFound: there is no such alert.
        BadInput: another verb, it needs a note, or too many jobs are open.
        WrongState: the alert has no runs.
    """
    chosen = _verb(verb)
    permissions.require(actor, "alert.act")
    permissions.require(actor, permission_for(chosen))
    if chosen is Verb.SKIP and not note.strip():
        raise BadInput("a note is missing", field="note", remedy="say why the steps are left out")
    alert = alert_by_id(pk)
    members = _members(alert, chosen)
    refuse_too_many_jobs()
    now, told = database_now(), clean(note)[:LONGEST_NOTE]
    work = {"actor": told_by(actor), "members": members, "next": 0, "batch": 1, "acted": 0, "flying": [], "bad": 0}
    with statements.writing():
        job = Job.objects.create(
            kind=Job.ACT, body={"alert_id": pk, "verb": chosen.value, "note": told}, work=work | {"runs": []},
            of=len(members), actor=actor.name, created_at=now,
        )  # fmt: skip
        about = f"{chosen} on {len(members):,} run{'s' if len(members) != 1 else ''}, job {job.pk}"
        AlertNote.objects.create(
            alert=alert, at=now, kind="act", actor=actor.name, note=f"{about}: {told}".rstrip(": ")
        )
        audit.record(
            actor=actor, action="alert.act", workflow_id=CHAIN, note=note, alert=pk, verb=chosen.value, job=job.pk,
            runs=len(members),
        )  # fmt: skip
    return job


def portion(job: Job) -> None:
    """One act, or one look at what came of those before; sets `job.results` when all is done."""
    work = job.work
    if work["acted"] < work["batch"] and work["next"] < job.of:
        _act_on_next(job)
    elif work["flying"]:
        _look(job)
    elif 2 * work["bad"] > work["acted"]:
        failed = "it" if work["acted"] == 1 else f"{work['bad']} of {work['acted']} runs"
        _finish(job, stopped=f"{failed} failed again, so the others are left alone")
    elif work["next"] >= job.of:
        _finish(job)
    else:
        work["batch"] = 1 if work["bad"] else min(2 * work["batch"], LARGEST_BATCH)
        work["acted"] = work["bad"] = 0


def _verb(given: str) -> Verb:
    if given not in [one.value for one in VERBS]:
        remedy = f"one of: {', '.join(VERBS)}; others are done run by run"
        raise BadInput(f"'{str(given)[:40]}' is no verb for many runs", field="verb", remedy=remedy)
    return Verb(given)


def _members(alert: Alert, verb: Verb) -> list[list[Any]]:
    """[run id, step, code] of each run once; of a verb that needs a step, those that have one."""
    rows = AlertMember.objects.filter(alert=alert, left_at=None).order_by("pk")
    found = {
        (run_id, step_id if verb in NEEDS_STEP else ""): code
        for run_id, step_id, code in rows.values_list("run_id", "step_id", "code")[:MOST]
        if step_id or verb not in NEEDS_STEP
    }
    if not found:
        raise WrongState(f"alert {alert.pk} has no runs to {verb}", remedy="see what it tells of: it is no run's")
    return [[run_id, step_id, code] for (run_id, step_id), code in found.items()]


def _act_on_next(job: Job) -> None:
    work, place = job.work, job.work["next"]
    run_id, step_id, code = work["members"][place]
    verb, waits = Verb(job.body["verb"]), False
    run = Run.objects.filter(pk=run_id).first()
    row: dict[str, Any] = {"workflow_id": run.workflow_id if run else "", "step_id": step_id or None}
    if run is None:
        row |= {"result": "refused", "message": "the run is gone"}
    else:
        try:
            after = _done(job, run, verb, step_id, code, place)
        except (WrongState, NotAllowed, BadInput) as error:
            row |= {"result": "refused", "message": error.message}
        except ZenError as error:
            row |= {"result": "failed", "message": error.message}
            work["bad"] += 1
        else:
            waits = verb is Verb.RETRY
            row |= {"result": "running" if waits else "done", "message": after}
    work["runs"].append(row)
    if waits and run is not None:
        work["flying"].append([place, run.pk, run.version, iso(database_now())])
    work["next"], work["acted"], job.done = place + 1, work["acted"] + 1, place + 1


def _done(job: Job, run: Run, verb: Verb, step_id: str, code: str, place: int) -> str:
    """Do it; what there is to say of it: of a restart the new run."""
    if code == "undo_failed" and verb is Verb.RETRY:
        verb, answer = Verb.RESOLVE, Answer.RETRY.value
    else:
        answer = ""
    after = act(
        workflow_id=run.workflow_id, verb=verb, actor=account_of(job.work["actor"]), step_id=step_id, answer=answer,
        note=job.body["note"] or f"alert {job.body['alert_id']}", request_id=f"job.{job.pk}.{place}",
    )  # fmt: skip
    return f"restarted as {after.workflow_id}" if verb is Verb.RESTART else ""


def _look(job: Job) -> None:
    """What came of the retries that are on their way."""
    work, now, left = job.work, database_now(), []
    for place, run_id, version, since in work["flying"]:
        result, why = came_of(run_id, work["members"][place][1], version)
        row = work["runs"][place]
        if result:
            work["runs"][place] = row | {"result": result, "message": why}
            work["bad"] += result == "failed"
        elif now - datetime.fromisoformat(since) < WAITS:
            left.append([place, run_id, version, since])
    work["flying"] = left
    if left:
        time.sleep(PAUSE)


def _finish(job: Job, stopped: str = "") -> None:
    runs = list(job.work["runs"])
    rest = job.work["members"][job.work["next"] :]
    names = dict(Run.objects.filter(pk__in=[one[0] for one in rest]).values_list("pk", "workflow_id"))
    runs += [
        {"workflow_id": names.get(run_id, ""), "step_id": step_id or None, "result": "left", "message": ""}
        for run_id, step_id, _ in rest
    ]
    counts: dict[str, int] = {}
    for row in runs:
        counts[row["result"]] = counts.get(row["result"], 0) + 1
    job.results = {"counts": counts, "stopped": stopped or None, "runs": runs}

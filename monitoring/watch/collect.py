"""Rows to facts: what a detector may know of each run of a batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.conf import settings

from approvals.core.approval.state import STATE
from approvals.core.enums import AtTheEnd
from approvals.models import Request
from monitoring.core.detectors.ended import INCOMPLETE
from monitoring.core.facts import Attempt, Child, Gate, Ready, Recovered, RunFacts, Timer, Undelivered
from monitoring.models import RecoveryAttempt
from monitoring.watch.rows import Rows
from monitoring.watch.steps import MOST_ASKED, counts, held, machinery
from monitoring.watch.steps import troubled as troubled_steps
from orchestration.core.enums import Purpose, RunStatus, StepStatus
from orchestration.core.project.forecast import over_at
from orchestration.core.project.phases import PROJECT
from orchestration.core.saga.codec import STEP
from orchestration.core.saga.plan import Plan
from orchestration.core.saga.state import StepState
from orchestration.engines.base import TROUBLE
from orchestration.ledger.outcome import warnings_of_run
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.ledger.store import load_state
from orchestration.models import Command, Run
from orchestration.runs.next_attempt import next_try

Away = Mapping[str, tuple[datetime, str]]
"""Engines whose server does not answer: since when, and why."""

MOST_NAMES = 3
AT_THE_END = {AtTheEnd.REJECT: "rejected", AtTheEnd.APPROVE: "approved", AtTheEnd.HOLD: "held for an administrator"}


def facts_of(rows: Rows, away: Away) -> Iterator[RunFacts]:
    """The facts of each run of the batch."""
    for run in rows.runs:
        yield _facts(run, rows, away)


def _facts(run: Run, rows: Rows, away: Away) -> RunFacts:
    saga = run.kind in Run.SAGAS
    status, plan = RunStatus(run.status), compiled_plan(run)
    states = {row.step_id: STEP.validate_python(row.state) for row in rows.steps.get(run.pk, ()) if row.state}
    troubled = tuple(troubled_steps(run, plan, states, rows)) if saga else ()
    children = rows.children.get(run.pk, ())
    gates = () if status.is_end else tuple(_gate(one, run) for one in rows.requests.get(run.pk, ()))
    ended, failed, commonest = counts(run, rows)
    since, why = away.get(run.engine, (None, ""))
    held_by, held_since = held(run, rows)
    return RunFacts(
        run_id=run.pk, workflow_id=run.workflow_id, kind=run.kind, saga_id=run.definition.saga_id, engine=run.engine,
        status=status, cause=run.cause, now=rows.now, created_at=run.created_at, started_at=run.started_at,
        finished_at=run.finished_at, deadline=_deadline(run, plan), version=run.version, handed_over=run.handed_over,
        forecast_until=_forecast_until(run),
        trouble=run.error if run.error.startswith(TROUBLE) else "",
        held=bool(run.head.get("held")), held_by=held_by, held_since=held_since,
        hold_reason=str(run.head.get("hold_reason") or ""), last_fact_at=rows.last_facts.get(run.pk),
        steps=len(plan.order), to_do=int(run.head.get("open", 0)) if saga else 0, troubled=troubled,
        in_flight=() if status.is_end else tuple(_in_flight(run, plan, states, rows)),
        ready=() if status.is_end else tuple(_ready(run, rows)),
        timers=() if status.is_end else tuple(_timers(run, plan, states, rows)),
        undelivered=tuple(
            Undelivered(what=_what(one.event), since=one.created_at, by=str(one.event.get("by") or ""))
            for one in rows.messages.get(run.pk, ())
        ),
        children=tuple(_child(child, rows) for child in children if child.kind in Run.SAGAS), gates=gates,
        warnings=_warnings(run, plan, status, rows), serving=rows.serving.get(run.engine, {}), engine_away_since=since,
        engine_error=why, ended_attempts=ended, failed_attempts=failed, commonest_error=commonest,
        machinery=tuple(machinery(run, states, rows)), parent=run.parent_id is not None,
        alert_on_failure=run.config.get("alert_on_failure"),
        channels=tuple(run.config.get("notification_channels") or ()), starter_id=run.created_by_id,
        counted=rows.counted.get(run.pk), state_since=rows.entered.get(run.pk),
        pivot_passed=bool(run.head.get("pivoted")), storms=rows.storms,
        depth=rows.depths.get(run.pk, 0), depth_most=settings.ZEN_MAX_CHILD_DEPTH,
        recoveries=tuple(_recovered(row) for row in rows.recoveries.get(run.pk, ())),
        recovered=sum(bool(row.number) and row.state != row.SHADOW for row in rows.recoveries.get(run.pk, ())),
    )  # fmt: skip


def _recovered(row: RecoveryAttempt) -> Recovered:
    return Recovered(
        policy_id=row.policy_id, action=row.action, state=row.state, number=row.number, of=row.of, waits=row.waits,
        steps=tuple(act["step_id"] for act in row.acts if act["step_id"]), brake=row.brake, exhausted=row.exhausted,
    )  # fmt: skip


def _deadline(run: Run, plan: Plan) -> datetime | None:
    if plan.timeout_seconds is None or run.started_at is None:
        return None
    return run.started_at + timedelta(seconds=plan.timeout_seconds)


def _forecast_until(run: Run) -> datetime | None:
    """Of a project with an estimate, when it has taken too long by that."""
    given = run.context.get(PROJECT) if run.kind == Run.PROJECT else None
    return over_at(given, run.started_at) if isinstance(given, dict) else None


def _what(event: Mapping[str, object]) -> str:
    return str(event.get("kind", "message")).removesuffix("_requested").replace("_", " ")


def _warnings(run: Run, plan: Plan, status: RunStatus, rows: Rows) -> tuple[str, ...]:
    """What the end must not hide. Most runs have nothing that could be hidden, and cost no query."""
    hides = status in INCOMPLETE or bool(rows.steps.get(run.pk)) or run.pk in rows.had_children
    if run.kind not in Run.SAGAS or not hides or status not in (RunStatus.COMPLETED, *INCOMPLETE):
        return ()
    return tuple(warnings_of_run(run, plan, load_state(run)))


# --- what is in flight or waited for -------------------------------------------------------------------------------


def _in_flight(run: Run, plan: Plan, states: Mapping[str, StepState], rows: Rows) -> Iterator[Attempt]:
    with_child = {child.parent_step for child in rows.children.get(run.pk, ())}
    with_row = {row.step_id for row in rows.commands.get(run.pk, ())}
    for row in rows.commands.get(run.pk, ()):
        if row.kind != "run_action" or row.status != Command.RUNNING or row.started_at is None:
            continue
        step = plan.steps.get(row.step_id)
        yield Attempt(
            step_id=row.step_id, purpose=Purpose(row.purpose), started_at=row.started_at, worker=row.worker,
            worker_until=rows.alive.get(row.worker), tries=row.tries,
            timeout_seconds=step.timeout_seconds if step is not None else None, child=row.step_id in with_child,
        )  # fmt: skip
    for step_id, state in states.items():
        external = step_id in plan.steps and plan.steps[step_id].external
        if external and state.status is StepStatus.RUNNING and step_id not in with_row:
            yield Attempt(step_id=step_id, started_at=run.started_at or run.created_at, child=True)


def _ready(run: Run, rows: Rows) -> Iterator[Ready]:
    """Not those that are not due yet: an attempt that backs off is in trouble, and says when it goes on."""
    for row in rows.commands.get(run.pk, ()):
        if row.kind == "run_action" and row.status == Command.READY:
            yield Ready(step_id=row.step_id, due_at=row.due_at, queue=row.queue)


def _timers(run: Run, plan: Plan, states: Mapping[str, StepState], rows: Rows) -> Iterator[Timer]:
    seen, asked = set(), 0
    for row in rows.commands.get(run.pk, ()):
        if row.kind == "start_timer" and row.status == Command.READY:
            seen.add(row.step_id)
            yield Timer(kind=row.timer or "timer", due_at=row.due_at, step_id=row.step_id)
    for step_id, state in states.items():  # on Temporal a timer is no row
        step = plan.steps.get(step_id)
        waits = step is not None and (state.waiting or step.wait_seconds is not None)
        if step is None or step_id in seen or state.status is not StepStatus.RUNNING or not waits:
            continue
        asked += 1
        if asked > MOST_ASKED:
            return
        due = next_try(run, plan, step_id, state)
        if due is not None:
            yield Timer(kind="wait", due_at=due, step_id=step_id)


def _child(child: Run, rows: Rows) -> Child:
    health = rows.health.get(child.pk)
    issues = health.issues if health is not None else []
    return Child(
        workflow_id=child.workflow_id, kind=child.kind, status=RunStatus(child.status), step_id=child.parent_step,
        worst=health.status if health is not None else "healthy",
        sentence=str(issues[0].get("sentence", "")) if issues else "",
    )  # fmt: skip


def _gate(request: Request, run: Run) -> Gate:
    state = STATE.validate_python(request.state)
    names = sorted(str(request.people.get(person, {}).get("name", person)) for person in state.awaited)
    more = f" and {len(names) - MOST_NAMES} others" if len(names) > MOST_NAMES else ""
    stages = (request.policy.body or {}).get("stages") or [{}]
    end = stages[min(state.stage, len(stages) - 1)].get("at_the_end", AtTheEnd.REJECT)
    return Gate(
        request_id=request.request_id, opened_at=state.opened_at or request.created_at, expires_at=request.expires_at,
        whom=", ".join(names[:MOST_NAMES]) + more, at_the_end=AT_THE_END.get(AtTheEnd(end), "rejected"),
        step_id=request.step_id if request.run_id != run.pk else "",
    )  # fmt: skip

"""The steps of a run that are in trouble, with what is known of their last failure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from monitoring.core import errors
from monitoring.core.facts import StepInTrouble
from monitoring.watch.rows import QUIET, Rows
from orchestration.actions.http.breaker import LAST_ERROR, LAST_STATUS
from orchestration.core.definition import StepDefinition
from orchestration.core.enums import Purpose, StepStatus, UndoStatus
from orchestration.core.saga.plan import Plan, PlanStep
from orchestration.core.saga.state import StepState
from orchestration.ledger.plan_cache import definition_of
from orchestration.models import Command, Run
from orchestration.runs.next_attempt import next_try, second_chance

MOST_ASKED = 50
"""Steps of a run that are asked one by one when they go on; a wide run may have thousands that back off."""


@dataclass(slots=True)
class _Run:
    """A run with what is looked up for each of its steps. `asked`: how many were asked one by one."""

    run: Run
    plan: Plan
    definitions: Mapping[str, StepDefinition]
    failures: Mapping[tuple[str, str], Command]
    kept_back: Mapping[tuple[str, str], Sequence[Command]]
    timers: Mapping[str, datetime]
    asked: int = 0

    def may_ask(self) -> bool:
        """Whether one more step may be."""
        self.asked += 1
        return self.asked <= MOST_ASKED


def troubled(run: Run, plan: Plan, states: Mapping[str, StepState], rows: Rows) -> Iterator[StepInTrouble]:
    """The steps that failed, are unknown, back off, or whose undo has trouble."""
    found: _Run | None = None
    for step_id, state in states.items():
        step = plan.steps.get(step_id)
        open_undo = state.undo is UndoStatus.FAILED and state.resolution is None
        if step is None or (state.status in QUIET and not open_undo and not state.undo_backing_off):
            continue
        found = found or _looked_up(run, plan, rows)
        yield _step(found, step, state, open_undo=open_undo)


def _looked_up(run: Run, plan: Plan, rows: Rows) -> _Run:
    failures: dict[tuple[str, str], Command] = {}
    for row in rows.failures.get(run.pk, ()):  # the latest first
        failures.setdefault((row.step_id, row.purpose), row)
    kept_back: dict[tuple[str, str], list[Command]] = {}
    for row in rows.kept_back.get(run.pk, ()):
        kept_back.setdefault((row.step_id, row.purpose), []).append(row)
    return _Run(
        run=run, plan=plan, definitions={one.step_id: one for one in definition_of(run).steps}, failures=failures,
        kept_back=kept_back, timers=timers_of(run, rows),
    )  # fmt: skip


def timers_of(run: Run, rows: Rows) -> dict[str, datetime]:
    """When the timer of each step is due that has a row; on Temporal none has."""
    ready = [row for row in rows.commands.get(run.pk, ()) if row.kind == "start_timer" and row.status == Command.READY]
    return {row.step_id: row.due_at for row in sorted(ready, key=lambda row: row.pk)}


def _step(one: _Run, step: PlanStep, state: StepState, *, open_undo: bool) -> StepInTrouble:
    run = one.run
    purpose = Purpose.UNDO if open_undo or state.undo is UndoStatus.COMPENSATING else Purpose.FORWARD
    last, definition = one.failures.get((step.step_id, purpose.value)), one.definitions.get(step.step_id)
    kept = _kept_back(one, step.step_id, purpose, last) if state.status is StepStatus.BACKING_OFF else None
    error, since = (last.error, last.ended_at) if last is not None else ("", None)
    action = definition.forward_action if definition is not None else None
    status = (last.detail or {}).get("status") if last is not None else None
    if kept is not None:
        error, status = str(kept.detail[LAST_ERROR]), kept.detail.get(LAST_STATUS)
        since = since or kept.ended_at
    next_at, chance = _going_on(one, step, state)
    return StepInTrouble(
        step_id=step.step_id, status=state.status.value, undo=state.undo.value, blocked=state.blocked,
        open_undo=open_undo, critical=step.critical, pivot_passed=bool(run.head.get("pivoted")),
        tried=state.attempt - state.budget_from, most=step.retry_count + 1,
        undo_tried=state.undo_attempt - state.undo_budget_from, error=error, kept_back=kept is not None,
        http_status=status if isinstance(status, int) else None, host=host_in(error), handler=handler_of(action),
        next_at=next_at, chance=chance,
        asks=getattr(action, "type", "") == "api_call",
        can_skip=step.has_default or not step.critical,
        has_probe=definition is not None and definition.probe_action is not None,
        timeout_seconds=step.timeout_seconds, iterations=state.iteration,
        since=since,
    )  # fmt: skip


def _going_on(one: _Run, step: PlanStep, state: StepState) -> tuple[datetime | None, tuple[int, int] | None]:
    """When a step that backs off goes on, and which second chance that is; None of what is not asked any more."""
    if state.status is not StepStatus.BACKING_OFF and not state.undo_backing_off:
        return None, None
    next_at = one.timers.get(step.step_id)
    if (next_at is not None and not state.chances) or not one.may_ask():
        return next_at, None
    return (
        next_at or next_try(one.run, one.plan, step.step_id, state),
        second_chance(one.run, one.plan, step.step_id, state),
    )


def _kept_back(one: _Run, step_id: str, purpose: Purpose, last: Command | None) -> Command | None:
    """The first attempt that a circuit breaker kept back, if the latest one was; they are the earliest first."""
    of_step = one.kept_back.get((step_id, purpose.value))
    return of_step[0] if of_step and (last is None or of_step[-1].pk > last.pk) else None


def host_of(row: Command | None) -> str:
    """The host that was called in an attempt that failed."""
    return host_in(row.error) if row is not None else ""


def host_in(error: str) -> str:
    """The host that was called, as the error names its URL."""
    for word in error.split()[:3]:
        if word.startswith(("http://", "https://")):
            try:
                return (urlsplit(word.rstrip(":")).hostname or "")[:100]
            except ValueError:  # such as http://[x: a handler's error may have any words
                return ""
    return ""


def handler_of(action: object) -> str:
    """The handler that an action names; '' where it has none."""
    return str(getattr(action, "handler", "") or "")[:100]


def counts(run: Run, rows: Rows) -> tuple[int, int, str]:
    """Attempts that ended, those that failed, and the commonest error in short; nothing of an untroubled run."""
    found = rows.counts.get(run.pk)
    if found is None:
        return 0, 0, ""
    failed = sum(count for outcome, count in found.items() if outcome != "succeeded")
    told: dict[str, int] = {}
    for row in rows.failures.get(run.pk, ()):
        status = (row.detail or {}).get("status")
        words = errors.in_short(row.error, status if isinstance(status, int) else None, host_of(row))
        told[words] = told.get(words, 0) + 1
    return sum(found.values()), failed, max(told, key=lambda word: told[word], default="")


def machinery(run: Run, states: Mapping[str, StepState], rows: Rows) -> Iterator[tuple[str, str]]:
    """Steps that stand still because of our machinery, with its last word; those that went on since are left out."""
    for event in {one.step_id: one for one in rows.notes.get(run.pk, ()) if "machinery_failed" in one.kind}.values():
        state = states.get(event.step_id)
        if state is not None and (state.blocked or (state.undo is UndoStatus.FAILED and state.resolution is None)):
            yield event.step_id, str(event.data.get("error", ""))


def held(run: Run, rows: Rows) -> tuple[str, datetime | None]:
    """By whom the run is held, and since when; '' where no person holds it."""
    acts = [one for one in rows.notes.get(run.pk, ()) if one.kind in ("act.hold", "act.release")]
    if not acts or acts[-1].kind != "act.hold":
        return "", None
    return str(acts[-1].data.get("by") or ""), acts[-1].at

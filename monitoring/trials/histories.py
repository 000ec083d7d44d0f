"""Logs of runs that have ended, as a back-test reads them: three queries for a batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from monitoring.core.replay.history import Entry, History, Rang, StepPlan, Tried
from monitoring.watch.steps import handler_of, host_of
from orchestration.ledger.plan_cache import compiled_plan, definition_of
from orchestration.models import Command, Event, Run

MOST_ENTRIES = 2000
"""A run with a longer log is left out of a back-test."""


def histories(run_ids: Sequence[int]) -> Iterator[tuple[str, History | None]]:
    """(workflow_id, log) of each of these runs; None where it is too long to be looked at, or was taken away."""
    runs = Run.objects.filter(pk__in=run_ids).select_related("definition").order_by("-finished_at", "-pk")
    runs = runs.defer("context", "input_by", "definition__body", "definition__warnings")
    entries: dict[int, list[Entry]] = defaultdict(list)
    found = Event.objects.filter(run_id__in=run_ids, seq__lte=MOST_ENTRIES + 1).order_by("run_id", "seq")
    for run_id, at, kind, step_id, data in found.values_list("run_id", "at", "kind", "step_id", "data"):
        entries[run_id].append(Entry(at=at, kind=kind, step_id=step_id, data=data))
    commands: dict[int, list[Command]] = defaultdict(list)
    for row in Command.objects.filter(run_id__in=run_ids).defer("output", "undo_action").order_by("run_id", "pk"):
        commands[row.run_id].append(row)
    for run in runs:
        log = entries.get(run.pk, [])
        yield run.workflow_id, _history(run, log, commands.get(run.pk, [])) if 0 < len(log) <= MOST_ENTRIES else None


def _history(run: Run, log: list[Entry], commands: list[Command]) -> History:
    plan, definition = compiled_plan(run), definition_of(run)
    actions = {step.step_id: step for step in definition.steps}
    steps = {
        name: StepPlan(
            critical=step.critical, pivot=step.pivot, most=step.retry_count + 1,
            handler=handler_of(actions[name].forward_action if name in actions else None),
            asks=step.has_undo or (name in actions and getattr(actions[name].forward_action, "type", "") == "api_call"),
            can_skip=step.has_default or not step.critical,
            has_probe=name in actions and actions[name].probe_action is not None, timeout_seconds=step.timeout_seconds,
        )
        for name, step in plan.steps.items()
    }  # fmt: skip
    return History(
        run_id=run.pk, workflow_id=run.workflow_id, saga_id=run.definition.saga_id, engine=run.engine,
        created_at=run.created_at, timeout_seconds=plan.timeout_seconds, parent=run.parent_id is not None, plan=steps,
        entries=tuple(log), tried=tuple(_tried(row) for row in commands if row.kind == "run_action"),
        timers=tuple(
            Rang(kind=row.timer or "timer", due_at=row.due_at, step_id=row.step_id, ended_at=row.ended_at)
            for row in commands
            if row.kind == "start_timer"
        ),
    )  # fmt: skip


def _tried(row: Command) -> Tried:
    status = (row.detail or {}).get("status")
    return Tried(
        step_id=row.step_id, purpose=row.purpose, iteration=row.iteration, started_at=row.started_at,
        ended_at=row.ended_at, outcome=row.outcome, error=row.error, tries=row.tries, host=host_of(row),
        http_status=status if isinstance(status, int) else None,
    )  # fmt: skip

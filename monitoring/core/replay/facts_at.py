"""The facts of a run at a moment of its past, from its log: entries folded one by one, attempts by their moments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from monitoring.core.facts import Attempt, RunFacts, StepInTrouble, Timer
from monitoring.core.replay.attempts import Attempts
from monitoring.core.replay.history import Entry, History
from orchestration.core.enums import Purpose, RunStatus

LOST, QUIET = ("failed", "unknown"), ("running", "skipped", "succeeded", "pending")
STATUSES = frozenset(RunStatus)
WORKER = timedelta(days=1)


@dataclass(slots=True)
class _Step:
    status: str = "pending"
    undo: str = "not_needed"
    resolved: bool = False
    attempt: int = 0
    budget_from: int = 0
    undo_attempt: int = 0
    undo_budget_from: int = 0
    iteration: int = 1
    since: datetime | None = None
    broken: str = ""


@dataclass(slots=True)
class Replay:
    """A run's past up to the last entry that was folded in. `facts` tells what was known then, or later, of it.

    It is asked for moments in their order, so that each attempt is looked at twice: when it begins, and when it ends.
    """

    history: History
    status: RunStatus = RunStatus.PENDING
    cause: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    last: datetime | None = None
    entered: datetime | None = None
    pivoted: bool = False
    held_by: str = ""
    held_since: datetime | None = None
    hold_reason: str = ""
    steps: dict[str, _Step] = field(default_factory=dict)
    attempts: Attempts = field(init=False)

    def __post_init__(self) -> None:
        """Sort the attempts."""
        self.attempts = Attempts(self.history.tried)

    def fold(self, entry: Entry) -> None:
        """Take the next entry."""
        self.last = entry.at
        subject, _, word = entry.kind.partition(".")
        if subject == "run":
            self._run(entry, word)
        elif subject in ("step", "undo"):
            self._step(entry, subject, word)
        elif subject == "act":
            self._act(entry, word)

    def _run(self, entry: Entry, word: str) -> None:
        if word == "started":
            self.started_at = self.entered = entry.at
            self.status = RunStatus.RUNNING
        elif word in STATUSES:
            self.status, self.entered = RunStatus(word), entry.at
            self.cause = str(entry.data.get("cause") or self.cause)
            self.finished_at = entry.at if self.status.is_end else None

    def _step(self, entry: Entry, subject: str, word: str) -> None:
        step = self.steps.setdefault(entry.step_id, _Step())
        attempt = int(entry.data.get("attempt") or 0)
        if word == "machinery_failed":
            step.broken = str(entry.data.get("error") or "our machinery failed")
        elif subject == "undo" and word != "attempt_ended":
            step.undo, step.undo_attempt, step.since = word, attempt or step.undo_attempt, entry.at
            step.broken = step.broken if word == "compensation_failed" else ""
        elif subject == "step" and word in ("attempt_ended", "possibly_repeated", "handler_overdue", "look_again"):
            step.iteration = int(entry.data.get("iteration") or step.iteration)
        elif subject == "step":
            step.status, step.attempt, step.since = word, attempt or step.attempt, entry.at
            step.broken = step.broken if word in LOST else ""
            plan = self.history.plan.get(entry.step_id)
            self.pivoted = self.pivoted or (word == "succeeded" and plan is not None and plan.pivot)

    def _act(self, entry: Entry, word: str) -> None:
        step = self.steps.get(entry.step_id)
        if word == "hold":
            self.held_by, self.held_since = str(entry.data.get("by") or ""), entry.at
            self.hold_reason = str(entry.data.get("note") or "")
        elif word in ("release", "abort"):
            self.held_by, self.held_since, self.hold_reason = "", None, ""
        elif word == "resolve" and step is not None:
            step.resolved = entry.data.get("answer") not in (None, "retry", "alternative")
            step.undo_budget_from = step.undo_attempt
        elif word == "retry" and step is not None:
            step.budget_from = step.attempt

    def facts(self, now: datetime) -> RunFacts:
        """What was known at `now`, if no further entry was written before."""
        history, ended = self.history, self.finished_at is not None
        self.attempts.go_to(now)
        troubled = tuple(step for name in self.steps if (step := self._troubled(name)) is not None)
        counted = self.attempts.counted
        done = sum(self._settled(name, step) for name, step in self.steps.items())
        held = any(step.blocked for step in troubled) or (self.status is RunStatus.HELD and bool(self.held_by))
        found = RunFacts(
            run_id=history.run_id, workflow_id=history.workflow_id, saga_id=history.saga_id, engine=history.engine,
            status=self.status, cause=self.cause, now=now, created_at=history.created_at, started_at=self.started_at,
            finished_at=self.finished_at, last_fact_at=self.last, held=held and not ended, held_by=self.held_by,
            held_since=self.held_since, hold_reason=self.hold_reason, steps=len(history.plan),
            to_do=len(history.plan) - done, troubled=troubled, state_since=self.entered, counted=counted,
            ended_attempts=counted.ended if troubled else 0, failed_attempts=counted.failed if troubled else 0,
            machinery=tuple((name, step.broken) for name, step in self.steps.items() if self._broken(name, step)),
            parent=history.parent, pivot_passed=self.pivoted, deadline=self._deadline(),
        )  # fmt: skip
        return found if ended else replace(
            found, in_flight=tuple(self._in_flight(now)), timers=tuple(self._timers(now))
        )  # fmt: skip

    def _deadline(self) -> datetime | None:
        seconds = self.history.timeout_seconds
        return self.started_at + timedelta(seconds=seconds) if self.started_at and seconds is not None else None

    def _blocked(self, name: str, step: _Step) -> bool:
        plan = self.history.plan.get(name)
        return step.status in LOST and self.pivoted and plan is not None and plan.critical and not self.status.is_end

    def _settled(self, name: str, step: _Step) -> bool:
        return step.status in ("succeeded", "skipped", *LOST) and not self._blocked(name, step)

    def _broken(self, name: str, step: _Step) -> bool:
        open_undo = step.undo == "compensation_failed" and not step.resolved
        return bool(step.broken) and (self._blocked(name, step) or open_undo)

    def _troubled(self, name: str) -> StepInTrouble | None:
        step, plan = self.steps[name], self.history.plan.get(name)
        open_undo = step.undo == "compensation_failed" and not step.resolved
        if plan is None or (step.status in QUIET and not open_undo):
            return None
        purpose = "undo" if open_undo or step.undo == "compensating" else "forward"
        last = self.attempts.failed.get((name, purpose))
        return StepInTrouble(
            step_id=name, status=step.status, undo=step.undo, blocked=self._blocked(name, step), open_undo=open_undo,
            critical=plan.critical, pivot_passed=self.pivoted, tried=step.attempt - step.budget_from, most=plan.most,
            undo_tried=step.undo_attempt - step.undo_budget_from, error=last.error if last else "",
            http_status=last.http_status if last else None, host=last.host if last else "", handler=plan.handler,
            next_at=self._next_at(name) if step.status == "backing_off" else None, asks=plan.asks,
            can_skip=plan.can_skip, has_probe=plan.has_probe, timeout_seconds=plan.timeout_seconds,
            iterations=step.iteration, since=last.ended_at if last else None,
        )  # fmt: skip

    def _next_at(self, name: str) -> datetime | None:
        dues = [
            one.due_at for one in self.history.timers if one.step_id == name and self.last and one.due_at > self.last
        ]
        return min(dues, default=None)

    # --- what was in flight ----------------------------------------------------------------------------------------

    def _in_flight(self, now: datetime) -> Iterator[Attempt]:
        flying = set()
        for one in self.attempts.flying:
            if one.started_at is not None:
                flying.add(one.step_id)
                yield Attempt(
                    step_id=one.step_id, purpose=Purpose(one.purpose), started_at=one.started_at,
                    worker_until=now + WORKER, timeout_seconds=self.history.plan[one.step_id].timeout_seconds,
                )  # fmt: skip
        timed = {timer.step_id for timer in self._timers(now)}
        for name, step in self.steps.items():
            if step.status == "running" and name not in flying and name not in timed and step.since is not None:
                yield Attempt(step_id=name, started_at=step.since, child=True)

    def _timers(self, now: datetime) -> Iterator[Timer]:
        for one in self.history.timers:
            step = self.steps.get(one.step_id)
            on = step is not None and (step.status in ("running", "backing_off") or step.undo == "compensating")
            if (one.ended_at is None or one.ended_at > now) and (on or not one.step_id):
                yield Timer(kind=one.kind, due_at=one.due_at, step_id=one.step_id)


def facts_at(history: History, moment: datetime) -> RunFacts:
    """The facts of a run at a moment of its past."""
    replay = Replay(history)
    for entry in history.entries:
        if entry.at > moment:
            break
        replay.fold(entry)
    return replay.facts(moment)

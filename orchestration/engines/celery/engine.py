"""The own engine behind the contract of `engines.base`."""

from __future__ import annotations

from datetime import datetime

from foundation.clock import now
from foundation.db import statements
from orchestration.core.saga.codec import EVENT
from orchestration.core.saga.events import Act, RunStarted
from orchestration.core.saga.guards import refusal
from orchestration.engines.base import Reach, Report
from orchestration.engines.celery import lost_timers, nudge
from orchestration.engines.celery.advance import Beginning, advance, alarm_row
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.ledger.store import load_state
from orchestration.models import Message, Run
from orchestration.ports import kept


class CeleryEngine:
    """Implements `engines.base.Engine` on the database."""

    name = "celery"
    is_told = False

    def reach(self) -> Reach:
        return Reach(ok=True, why="runs in the database")

    def begin(self, run: Run) -> Beginning:
        return Beginning(run)

    def take(self, run: Run) -> None:
        if kept(run.kind):
            self.tend(run)
            return
        with statements.writing():
            if Run.objects.filter(pk=run.pk, handed_over=False).update(handed_over=True):
                advance(run.pk, RunStarted(at=now()))
        self.wake()

    def deliver(self, message: Message) -> str:
        event = EVENT.validate_python(message.event)
        with statements.writing():
            run = Run.objects.select_for_update(no_key=True).get(pk=message.run_id)
            if Message.objects.filter(pk=message.pk).exclude(delivered_at=None).exists():
                return Message.objects.get(pk=message.pk).refusal
            why = ""
            if isinstance(event, Act):
                why = refusal(compiled_plan(run), load_state(run), event)
            if not why:
                advance(run.pk, event)
            Message.objects.filter(pk=message.pk).update(delivered_at=now(), refusal=why)
        self.wake()
        return why

    def alarm(self, run: Run, due: datetime, number: int) -> list[statements.Statement]:
        return alarm_row(run, due, number)

    def tend(self, run: Run) -> None:
        Run.objects.filter(pk=run.pk, handed_over=False).update(handed_over=True)
        self.wake()

    def revive(self, run: Run) -> None:
        lost_timers.set_again(run)
        self.wake()

    def report(self, run: Run) -> Report:
        return Report()

    def wake(self) -> None:
        nudge.nudge_all()

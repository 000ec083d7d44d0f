"""The own engine's door."""

from __future__ import annotations

import logging

from django.db import transaction

from orchestration.clock import now
from orchestration.core.codec import EVENT
from orchestration.core.events import Act, RunStarted
from orchestration.core.guards import refusal
from orchestration.engines.base import Reach
from orchestration.engines.celery.advance import advance
from orchestration.ledger import load_state
from orchestration.models import Message, Run
from orchestration.plans import plan_of

log = logging.getLogger(__name__)


class CeleryEngine:
    name = "celery"

    def reach(self) -> Reach:
        return Reach(ok=True, why="runs in the database")

    def take(self, run: Run) -> None:
        with transaction.atomic():
            if Run.objects.filter(pk=run.pk, handed_over=False).update(handed_over=True):
                advance(run.pk, RunStarted(at=now()))
        self.wake()

    def deliver(self, message: Message) -> str:
        event = EVENT.validate_python(message.event)
        with transaction.atomic():
            run = Run.objects.select_for_update().get(pk=message.run_id)
            if Message.objects.filter(pk=message.pk).exclude(delivered_at=None).exists():
                return Message.objects.get(pk=message.pk).refusal
            why = ""
            if isinstance(event, Act):
                why = refusal(plan_of(run), load_state(run), event)
            if not why:
                advance(run.pk, event)
            Message.objects.filter(pk=message.pk).update(delivered_at=now(), refusal=why)
        self.wake()
        return why

    def wake(self) -> None:
        """Ring the doorbell. A broker that is away costs nothing: the sweep finds what is ready."""
        from orchestration.tasks import work

        try:
            work.apply_async(retry=False, ignore_result=True)
        except (OSError, ConnectionError) as error:
            log.info("no doorbell (%s); the sweep will find the work", error)
        except Exception as error:  # kombu raises its transport's own errors
            if type(error).__module__.split(".")[0] not in {"kombu", "redis", "amqp"}:
                raise
            log.info("no doorbell (%s); the sweep will find the work", error)

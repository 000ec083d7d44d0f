"""Celery's door: it makes the threads of its process that deliver look at once; where there are none, it delivers."""

from __future__ import annotations

from celery import shared_task

from foundation import nudge
from notifications.delivery.worker import deliver_due


@shared_task(name=nudge.DELIVER)
def deliver() -> int:
    return 0 if nudge.wake(nudge.DELIVER) else deliver_due()

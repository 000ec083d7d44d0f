"""Celery's door: it makes the threads of its process that deliver look at once; where there are none, it delivers."""

from __future__ import annotations

from celery import shared_task

from notifications import bell
from notifications.deliver import deliver_due


@shared_task(name=bell.DELIVER)
def deliver() -> int:
    return 0 if bell.wake(bell.DELIVER) else deliver_due()

"""Celery's door."""

from __future__ import annotations

from celery import shared_task

from notifications.deliver import deliver_due


@shared_task(name="notifications.deliver")
def deliver() -> int:
    return deliver_due()

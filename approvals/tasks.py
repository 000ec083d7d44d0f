"""Celery's doors to what approvals do by themselves. Each calls one function and returns."""

from __future__ import annotations

import threading

from celery import shared_task

from approvals.callbacks import deliver_due
from approvals.reconcile import reconcile as reconcile_once
from approvals.slack.work import work_presses

_delivering = threading.Lock()


@shared_task(name="approvals.callbacks")
def callbacks() -> int:
    """Slow receivers hold up one thread of a worker and no more: while it sends, its other threads do not."""
    if not _delivering.acquire(blocking=False):
        return 0
    try:
        return deliver_due()
    finally:
        _delivering.release()


@shared_task(name="approvals.presses")
def presses() -> int:
    return work_presses()


@shared_task(name="approvals.reconcile")
def reconcile() -> int:
    return reconcile_once()

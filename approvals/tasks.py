"""Celery's doors to what approvals do by themselves. Each makes the threads of its process that do it look at once;
where there are none, it calls one function and returns.
"""

from __future__ import annotations

import threading

from celery import shared_task

from approvals.callbacks import deliver_due
from approvals.reconcile import reconcile as reconcile_once
from approvals.slack.work import work_presses
from notifications import bell

CALLBACKS, PRESSES, RECONCILE = "approvals.callbacks", "approvals.presses", "approvals.reconcile"

_delivering = threading.Lock()


@shared_task(name=CALLBACKS)
def callbacks() -> int:
    """Slow receivers hold up one thread of a worker and no more: while it sends, its other threads do not."""
    if bell.wake(CALLBACKS) or not _delivering.acquire(blocking=False):
        return 0
    try:
        return deliver_due()
    finally:
        _delivering.release()


@shared_task(name=PRESSES)
def presses() -> int:
    return 0 if bell.wake(PRESSES) else work_presses()


@shared_task(name=RECONCILE)
def reconcile() -> int:
    return 0 if bell.wake(RECONCILE) else reconcile_once()

"""Celery tasks of approvals. Each makes the threads of its process that do the work look at once.

Where a process has no such threads, the task does the work itself.
"""

from __future__ import annotations

import threading

from celery import shared_task

from approvals.requests.state.reconcile import reconcile as reconcile_once
from foundation import nudge
from notifications.slack.worker import work_presses
from notifications.webhooks import deliver_due

CALLBACKS, PRESSES, RECONCILE = "approvals.callbacks", "approvals.presses", "approvals.reconcile"

_delivering = threading.Lock()


@shared_task(name=CALLBACKS)
def callbacks() -> int:
    """Send webhooks that are due; returns how many.

    One thread of a process at a time, so slow receivers hold up only one.
    """
    if nudge.wake(CALLBACKS) or not _delivering.acquire(blocking=False):
        return 0
    try:
        return deliver_due()
    finally:
        _delivering.release()


@shared_task(name=PRESSES)
def presses() -> int:
    """Work out what was pressed in Slack; returns how many."""
    return 0 if nudge.wake(PRESSES) else work_presses()


@shared_task(name=RECONCILE)
def reconcile() -> int:
    """Put right what a lost process left; returns for how many requests."""
    return 0 if nudge.wake(RECONCILE) else reconcile_once()

"""Send what is due. Any number of workers may do it at once."""

from __future__ import annotations

from functools import partial

from foundation.outbox.claim import keep
from foundation.outbox.worker import Kind, work_through
from notifications.models import Callback
from notifications.webhooks.claim import LEASE, bury_the_lost, claim, store_end
from notifications.webhooks.send import Reply, broken, post

AT_ONCE = 8
CALLBACKS: Kind[Callback, Reply] = Kind(
    name="callback",
    claim=lambda most: claim(most),
    begin=lambda row: partial(post, row),
    finish=store_end,
    broke=lambda row, error: store_end(row, broken(error)),
    keep=lambda rows: keep(rows, LEASE),
)


def deliver_due(limit: int = 100) -> int:
    """Attempt up to `limit` callbacks, several at once; returns how many."""
    bury_the_lost()
    return work_through(CALLBACKS, limit=limit, at_once=AT_ONCE)

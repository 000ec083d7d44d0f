"""The doorbell: makes a worker look at once. Lost, it costs a sweep's second."""

from __future__ import annotations

import logging

from django.db import transaction

log = logging.getLogger(__name__)


def ring_on_commit() -> None:
    """`robust`: whoever wrote the rows must never fail because a broker did."""
    transaction.on_commit(_ring, robust=True)


def _ring() -> None:
    from notifications.tasks import deliver

    try:
        deliver.apply_async(retry=False, ignore_result=True)
    except (OSError, ConnectionError) as error:
        log.info("no doorbell (%s); the sweep will find the deliveries", error)
    except Exception as error:  # kombu raises its transport's own errors
        if type(error).__module__.split(".")[0] not in {"kombu", "redis", "amqp"}:
            raise
        log.info("no doorbell (%s); the sweep will find the deliveries", error)

"""One try of an activity: patience with the database; whether the server still wants it, and telling it the answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections
from temporalio import activity
from temporalio.client import AsyncActivityCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from foundation.errors import Unreachable
from orchestration.engines.temporal import connection
from orchestration.engines.temporal.dto import GRACE_SECONDS

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


def patiently(work: Callable[[], Answer]) -> Answer:
    """While the database is away, what has to be asked or written is held: the heartbeats go on meanwhile."""
    deadline, pause = time.monotonic() + GRACE_SECONDS, 0.2
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline or activity.is_worker_shutdown():
                raise
            log.warning("the database is away; trying again in %g s", pause, exc_info=True)
            close_old_connections()
            time.sleep(pause)
            pause = min(2 * pause, 5.0)


def still_wanted(info: activity.Info) -> None:
    """Raises when the server has given this attempt to another try, or cannot be asked."""

    async def beat() -> None:
        client = await connection.client()
        await client.get_async_activity_handle(task_token=info.task_token).heartbeat()

    try:
        connection.call(beat())
    except (AsyncActivityCancelledError, RPCError, Unreachable) as error:
        raise ApplicationError(f"this try came late, and is not begun ({error})") from error


def told(info: activity.Info, answer: str) -> bool:
    """False when the server could not be told: the SDK may have more luck; else another try answers from the row."""

    async def tell() -> None:
        client = await connection.client()
        await client.get_async_activity_handle(task_token=info.task_token).complete(answer)

    try:
        connection.call(tell())
    except RPCError as error:
        return error.status is RPCStatusCode.NOT_FOUND
    except Unreachable:
        return False
    return True

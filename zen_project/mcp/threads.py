"""Services block and use Django's connections, so they work in threads; the loop only waits for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from anyio import to_thread
from django.db import connections

Result = TypeVar("Result")


async def in_thread(do: Callable[[], Result]) -> Result:
    """What `do` returns or raises. It goes on in its thread if nobody waits for it any more."""
    return await to_thread.run_sync(partial(_closing, do), abandon_on_cancel=True)


def _closing(do: Callable[[], Result]) -> Result:
    try:
        return do()
    finally:
        connections.close_all()  # the thread may not come back, or only for another caller

"""One item must not spoil the others: whatever breaks in it is told, and the loop goes on.

Every loop over items that are independent of each other uses `guarded`, so that there is one broad `except` and not one
a loop; so does every thread that hands what came of its work to another one (`settle`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from foundation.db.outages import traceback_of

Result = TypeVar("Result")
Instead = TypeVar("Instead")


def guarded(do: Callable[[], Result], otherwise: Callable[[Exception], Instead]) -> Result | Instead:
    """What `do` returns; where it raises, what `otherwise` makes of the error: log it, count it, put the item off.

    `otherwise` runs while the error is handled: `raise error` lets it pass. The end of a thread or of the process
    (KeyboardInterrupt, SystemExit) passes in any case.
    """
    try:
        return do()
    except Exception as error:  # noqa: BLE001 - an item's bug may be any error, and the other items must not wait for it
        return otherwise(error)


def logged(log: logging.Logger, message: str, *about: object) -> Callable[[Exception], None]:
    """For `guarded`, or as a part of it: the error in the log, with its traceback if it does not pass by itself."""
    return lambda error: log.error(f"{message}: %s", *about, error, exc_info=traceback_of(error))


def settle(future: Future[Result], do: Callable[[], Result], *, before: Callable[[], None] = lambda: None) -> None:
    """Do it now; who waits for the future gets what it returns or raises, even the end of this thread.

    `before`: called between the work's end and its being told. It must not raise.
    """
    try:
        result = do()
    except BaseException as error:  # noqa: BLE001 - whoever waits for the future must hear of any end, or waits for ever
        before()
        future.set_exception(error)
    else:
        before()
        future.set_result(result)

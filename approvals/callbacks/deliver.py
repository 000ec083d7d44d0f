"""Send what is due. Any number of workers may do it at once."""

from __future__ import annotations

import logging
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from approvals.callbacks.claims import bury_the_lost, claim, settle
from approvals.callbacks.post import Reply, post
from approvals.models import Callback

log = logging.getLogger(__name__)

AT_ONCE = 8


def deliver_due(limit: int = 100) -> int:
    """Attempt up to `limit` callbacks, several at once; returns how many. The threads call, this one writes.

    One that breaks keeps no other from its end, and what is on its way when all breaks is written down all the same: an
    attempt whose end is not stored is made again.
    """
    bury_the_lost()
    flying: dict[Future[Reply], Callback] = {}
    begun = 0
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="callback") as pool:
        try:
            while True:
                room = min(AT_ONCE - len(flying), limit - begun)
                taken = claim(room) if room > 0 else []
                begun += len(taken)
                flying |= {pool.submit(post, row): row for row in taken}
                if not flying:
                    return begun
                ended, _ = wait(flying, return_when=FIRST_COMPLETED)
                for future in ended:
                    _finish(flying.pop(future), future)
        finally:
            for future, row in flying.items():
                _finish(row, future)


def _finish(row: Callback, future: Future[Reply]) -> None:
    try:
        settle(row, future.result())
    except Exception:
        log.exception("how callback %s went could not be stored; it is tried again", row.pk)

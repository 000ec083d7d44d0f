"""Whether the attempt that the running code belongs to is still this worker's.

A worker may stand still for longer than its lease (SIGSTOP, a machine that was suspended) and wake up in the middle of
what its successor does. So whoever changes what attempts share asks here, under the lock of what is changed.
"""

from __future__ import annotations

from django.db.models import Q

from orchestration.attempt_log import current
from orchestration.models import Command


class Superseded(Exception):
    """The claim of the attempt is over: another worker performs it by now, or has."""


def require(*, run_id: int, step_id: str, purpose: str, iteration: int, attempt: int, claim: int) -> None:
    """Raises Superseded when this claim of an attempt is over, as the ledger has it."""
    rows = Command.objects.filter(
        run_id=run_id, kind="run_action", step_id=step_id, purpose=purpose, iteration=iteration, attempt=attempt
    )
    if rows.filter(Q(epoch__gt=claim) | Q(status=Command.DONE)).exists():
        raise Superseded("another worker performs this attempt by now, or has")


def require_current() -> None:
    """The same, for the attempt that the running code belongs to. Nothing outside of attempts."""
    mine = current.current()
    if mine is not None:
        require(
            run_id=mine.run_id, step_id=mine.step_id, purpose=mine.purpose, iteration=mine.iteration,
            attempt=mine.attempt, claim=mine.claim,
        )  # fmt: skip

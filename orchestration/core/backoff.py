"""When the next attempt is due: exponential, full jitter, without chance (saga rule 5)."""

from __future__ import annotations

import hashlib

from orchestration.core.enums import Purpose
from orchestration.core.saga.plan import PlanStep

LONGEST_RETRY_AFTER = 3600.0


def delay_seconds(*, key: str, step: PlanStep, purpose: Purpose, tries: int, retry_after: float | None) -> float:
    """Seconds to wait after the `tries`-th attempt of a budget (from 1).

    The jitter is a hash of `key`, so that a replay and another engine compute the same delay. A Retry-After of the
    other side is a lower bound, up to an hour.
    """
    base = step.backoff_seconds if purpose is Purpose.FORWARD else step.compensation_backoff_seconds
    ceiling = min(step.backoff_limit_seconds, base * 2.0 ** min(tries - 1, 30))
    jittered = ceiling * _fraction(f"{key}:{tries}")
    return max(jittered, min(retry_after or 0.0, LONGEST_RETRY_AFTER))


def jitter_key(workflow_id: str, step_id: str, purpose: Purpose, iteration: int) -> str:
    """The `key` of a step's delays."""
    return f"{workflow_id}:{step_id}:{purpose}:{iteration}"


def _fraction(key: str) -> float:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32

"""The idempotency key of a step's action (rule 5): the same for every attempt, and never that of another step."""

from __future__ import annotations

import hashlib
from typing import Literal

from orchestration.core.enums import Purpose

LONGEST = 255
"""Characters of a key that holds the step's own; services take no more. A longer one ends in its hash."""
Scope = Literal["run", "business"]


def idempotency_key(
    *,
    workflow_id: str,
    saga_id: str,
    step_id: str,
    purpose: Purpose,
    iteration: int,
    custom: str = "",
    scope: Scope = "run",
    rules: int,
    alternative: int = 0,
) -> str:
    """`custom`: the step's own `idempotency_key`, filled in; '' without one. An undo has none.

    The last / of a key divides what a step wrote itself from the rest, which holds none, so two keys are never alike by
    chance. `rules`: those that the run was started under; 1 left the step out, and its runs keep the keys they used.
    `alternative`: which of the undos that people gave instead of the step's own, from 1: each is another request.
    """
    about = f"{step_id}:{purpose}:{iteration}"
    if alternative:
        about += f":alternative:{alternative}"
    if not custom:
        return f"{workflow_id}:{about}"
    if rules < 2:
        return f"{custom}:{purpose}:{iteration}"
    key = f"{custom}/{saga_id}/{about}" if scope == "business" else f"{custom}/{workflow_id}:{about}"
    if len(key) <= LONGEST:
        return key
    digest = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
    return f"{key[: LONGEST - len(digest) - 1]}~{digest}"

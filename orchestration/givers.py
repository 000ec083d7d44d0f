"""Whose input a run has: who started it, for whom, who published what it does, and the same of all runs above it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from orchestration.models import Run


class Giver(NamedTuple):
    """`user_id`: the account; None where there was none, or none is known. `name`: as it was then."""

    user_id: int | None
    name: str


def givers_of(run: Run) -> list[Giver]:
    """Each once. A restart keeps those of the run that it repeats."""
    return list(dict.fromkeys(one for one in _all(run) if one.name))


def _all(run: Run | None) -> Iterator[Giver]:
    while run is not None:
        yield Giver(run.created_by_id, run.created_by)
        yield Giver(run.created_for_id, run.created_for)
        yield Giver(run.definition.published_by_id, run.definition.published_by)
        yield from (Giver(user_id, name) for user_id, name in run.input_by)
        run = run.parent

"""Flows that keep their state in rows of their own, and only their time with an engine (docs/adr/0006)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from orchestration.models import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """When the engine is to ring again: None means that only people can make it go on. `ended`: never any more."""

    due: datetime | None = None
    ended: bool = False


class KeptFlow(Protocol):
    """What orchestration asks of such a flow. The setting ZEN_FLOWS names one for a kind of run."""

    def ring(self, run_pk: int, at: datetime) -> Next:
        """It is `at`: do what was due by then. Called at least once for each due time, and then a time too many.

        `at` is the database's time, never an engine's server's: whoever may write to that could else make time pass.
        """

    def hear(self, run: Run, event: dict[str, Any]) -> str:
        """Something from outside, stored as a message; returns the refusal, or ''. May come twice."""

    def why(self, run: Run) -> list[str]:
        """In words: what it waits for, and who can make it go on."""

    def page(self, run: Run) -> str:
        """The path of the page on which people deal with it."""


@cache
def _flow(path: str) -> KeptFlow:
    found: KeptFlow = import_string(path)
    return found


def kinds() -> list[str]:
    """Every kind of run."""
    return ["saga", *settings.ZEN_FLOWS]


def kept(kind: str) -> KeptFlow | None:
    """The flow of a kind of run; None for a saga, whose engine keeps its state as well."""
    path = settings.ZEN_FLOWS.get(kind)
    return _flow(path) if path else None


def pages_of(run: Run) -> list[tuple[Run, str]]:
    """Where people deal with what the run waits for, itself included: each run with the path of its page."""
    open_ones = run.children.filter(kind__in=list(settings.ZEN_FLOWS), finished_at=None)
    return [(one, flow.page(one)) for one in (run, *open_ones) if (flow := kept(one.kind)) is not None]


def flow_of(run_kind: str) -> KeptFlow:
    found = kept(run_kind)
    if found is None:
        raise LookupError(f"runs of kind '{run_kind}' keep no state of their own (ZEN_FLOWS)")
    return found

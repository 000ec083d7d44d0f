"""What a task handler raises to say how its attempt ended; any other exception leaves the outcome unknown."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

__all__ = ["Refused", "TryLater"]


class Refused(Exception):
    """Not done and not to be tried again. `evidence`: JSON that is kept with the attempt and shown with its answer."""

    def __init__(self, message: str = "", *, evidence: Mapping[str, JsonValue] | None = None) -> None:
        super().__init__(message)
        self.evidence = dict(evidence) if evidence is not None else None


class TryLater(Exception):
    """Not done; try again, at the earliest `after` seconds from now."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after

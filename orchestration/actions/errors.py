"""What a task handler raises to say how its attempt ended; any other exception leaves the outcome unknown."""

from __future__ import annotations

__all__ = ["Refused", "TryLater"]


class Refused(Exception):
    """Not done and not to be tried again."""


class TryLater(Exception):
    """Not done; try again, at the earliest `after` seconds from now."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after

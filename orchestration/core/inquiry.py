"""What a step asks people in the middle of its work, and what they said, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import JsonValue


class ReplyStatus(StrEnum):
    """`refused`: people said no. `expired`: nobody answered in time. `taken_back`: nobody will answer any more."""

    OPEN = "open"
    ANSWERED = "answered"
    REFUSED = "refused"
    EXPIRED = "expired"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryField:
    """One thing to be answered with a yes. `choices`: of kind `choice` alone."""

    name: str
    label: str
    kind: Literal["string", "choice", "number", "integer", "boolean"] = "string"
    choices: tuple[str, ...] = ()
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """How an inquiry stands. `answers`: by the names of its fields; empty where silence was taken for a yes.

    `by`: who decided, in words; `at`: when, aware UTC. `why`: in words, what it waits for or how it ended.
    """

    status: ReplyStatus
    request_id: str
    answers: Mapping[str, JsonValue] = field(default_factory=dict)
    comment: str = ""
    by: str = ""
    at: datetime | None = None
    why: str = ""

    def text(self, name: str) -> str:
        """The answer to a field as text; '' where there is none."""
        value = self.answers.get(name)
        return "" if value is None else str(value)

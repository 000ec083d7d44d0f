"""How a session with an agent ended, what it asked and what it used: values that drivers make and verdicts read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal


class EndReason(StrEnum):
    """Why a session ended, as its driver saw it. None of them says that the task is done."""

    END_TURN = "end_turn"
    """The agent ended its turn by itself."""
    MAX_TURNS = "max_turns"
    """`max_turns` rounds were used, or the agent's own limit of rounds or tokens."""
    REFUSAL = "refusal"
    """The model refused to go on."""
    CANCELLED = "cancelled"
    CRASHED = "crashed"
    """The program ended, or broke its protocol, before its turn had ended; also one that cannot be started."""
    STALLED = "stalled"
    """No event for `stall_seconds`; lines about retries count as none."""
    AUTH = "auth"
    """Not signed in, or its key was refused."""
    RATE_LIMITED = "rate_limited"
    """`retry_at` says until when, where the agent said it."""
    OVER_BUDGET = "over_budget"
    TIMED_OUT = "timed_out"
    """`deadline_seconds` were over."""
    SUSPENDED = "suspended"
    """It asked what nobody can answer now; `question` has it. The session can be resumed with the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of a session so far. `input` counts those read from a cache too; `cached` says how many that were."""

    input: int = 0
    output: int = 0
    cached: int = 0

    @property
    def total(self) -> int:
        """Tokens in and out."""
        return self.input + self.output

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input=self.input + other.input, output=self.output + other.output, cached=self.cached + other.cached
        )

    def since(self, before: Usage) -> Usage:
        """What came to it since then. It may have been counted anew: never below nothing."""
        given = max(0, self.input - before.input)
        cached = min(given, max(0, self.cached - before.cached))
        return Usage(input=given, output=max(0, self.output - before.output), cached=cached)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One answer that the agent offers. `allows`: what choosing it means; None for options of a question."""

    id: str
    label: str
    allows: bool | None = None
    for_good: bool = False
    """The agent remembers this answer for the rest of the session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an agent waits for. `id` is the agent's own, and another one when it asks the same again after a resume.

    kind `permission`: it wants to use `tool`, and `text` says for what. kind `question`: it asks a person; without
    `options` any text is an answer.
    """

    id: str
    kind: Literal["permission", "question"]
    text: str
    tool: str = ""
    options: tuple[Option, ...] = ()

    @property
    def digest(self) -> str:
        """The same for the same question asked again, so that an answer given meanwhile is found."""
        return hashlib.sha256(f"{self.kind}\0{self.tool}\0{self.text}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A person's, or a rule's. `option`: the id of the option chosen; '' with `text` for a question without
    options."""

    option: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a session ended.

    `text`: the agent's last message, bounded and redacted. `session_id`: by which it can be resumed where
    `resumable`. `cost_usd`: as the agent said it; None when it says none (then price the `usage`). `denied`: names of
    tools that were refused to it. `turns`: rounds with the model, as far as they can be seen. `exit_code`: of the
    program; None when it had to be killed or is none of ours. `error`: what went wrong, for a person. `retry_at`:
    aware UTC, when a rate limit ends. `dropped`: events that the bound of the transcript kept back.
    """

    reason: EndReason
    text: str = ""
    session_id: str = ""
    resumable: bool = False
    usage: Usage = field(default_factory=Usage)
    cost_usd: Decimal | None = None
    denied: tuple[str, ...] = ()
    turns: int = 0
    exit_code: int | None = None
    error: str = ""
    retry_at: datetime | None = None
    question: Question | None = None
    dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What `check` found. `signed_in`: None when that cannot be told without a call that costs money."""

    installed: bool
    version: str = ""
    signed_in: bool | None = None
    detail: str = ""
    """What is wrong and how to mend it; '' when nothing is."""

    @property
    def usable(self) -> bool:
        """Whether a session may be tried."""
        return self.installed and self.signed_in is not False

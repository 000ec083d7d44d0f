"""The judgement of a health window: every answer counts, and the first bad one is kept with its evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

MOST_FAILURES = 10
EXCERPT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question and what came of it. `at`: ISO 8601, by the database's clock; `status` is 0 where none came.

    `error` says why it is not good, '' for a good one; `excerpt` is the beginning of the body.
    """

    at: str
    target: str
    status: int
    seconds: float
    error: str = ""
    excerpt: str = ""

    def to_json(self) -> dict[str, JsonValue]:
        found: dict[str, JsonValue] = {
            "at": self.at, "target": self.target, "status": self.status or None, "seconds": round(self.seconds, 4),
        }  # fmt: skip
        return found | ({"error": self.error, "excerpt": self.excerpt[:EXCERPT]} if self.error else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What was counted. `share`: of the answers that have to be good; `statuses`: how many answers had which."""

    share: float
    answers: int = 0
    good: int = 0
    slowest: float = 0.0
    statuses: Mapping[str, int] = field(default_factory=dict)
    failures: tuple[Answer, ...] = ()

    def with_answer(self, answer: Answer) -> Window:
        """The window with one more answer."""
        word = str(answer.status or "none")
        return replace(
            self,
            answers=self.answers + 1,
            good=self.good + (not answer.error),
            slowest=max(self.slowest, answer.seconds),
            statuses={**self.statuses, word: self.statuses.get(word, 0) + 1},
            failures=self.failures if not answer.error else (*self.failures, answer)[:MOST_FAILURES],
        )

    @property
    def bad(self) -> int:
        return self.answers - self.good

    def is_healthy(self) -> bool:
        """Whether enough of the answers were good; without any answer it is not."""
        return self.answers > 0 and self.good >= self.share * self.answers - 1e-9

    def is_lost(self, expected: int) -> bool:
        """Whether it cannot be healthy any more, whatever the rest of `expected` answers say."""
        allowed = math.floor((1 - self.share) * max(expected, self.answers) + 1e-9)
        return self.bad > allowed

    def in_words(self) -> str:
        """What was found, in a sentence: how many answers were good, and the first bad one."""
        if not self.answers:
            return "no answer was counted"
        told = f"{self.bad} of {self.answers} answers were bad"
        if self.failures:
            first = self.failures[0]
            status = f"status {first.status}, " if first.status else ""
            told += f"; the first at {first.at}: {first.target}: {status}{first.error}"
        return told

    def evidence(self) -> dict[str, JsonValue]:
        """The window as JSON, for its step's output or its attempt's detail."""
        return {
            "healthy": self.is_healthy(),
            "answers": self.answers,
            "good": self.good,
            "bad": self.bad,
            "needed_share": self.share,
            "slowest_seconds": round(self.slowest, 4),
            "statuses": dict(self.statuses),
            "first_failure": self.failures[0].to_json() if self.failures else None,
            "failures": [one.to_json() for one in self.failures],
        }

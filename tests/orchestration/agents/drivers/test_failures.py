"""Why a model said no, from what agents report of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestration.agents.base import EndReason
from orchestration.agents.drivers.failures import failure_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("429 Too Many Requests, retry-after: 77", 77.0),
        ('Rate limit reached {"retryAfter": 90}', 90.0),
        ("Rate limit reached for gpt. Please try again in 1.5s.", 1.5),
        ("usage limit: try again in 20 minutes", 1200.0),
        ("rate limit; resets in 2 hours", 7200.0),
        ("rate limit, retry in 250 ms", 0.25),
        ("Overloaded (529)", None),
        ("RESOURCE_EXHAUSTED", None),
    ],
)
def test_a_limit_is_told_with_its_end(text: str, seconds: float | None) -> None:
    found = failure_of(text)
    assert (found.reason, found.retry_after) == (EndReason.RATE_LIMITED, seconds)


def test_a_moment_is_read_as_one() -> None:
    moment = datetime(2026, 11, 27, 18, 0, tzinfo=UTC)
    assert failure_of("usage limit, resets at 2026-11-27T18:00:00Z").retry_at == moment
    assert failure_of(f"Claude AI usage limit reached|{int(moment.timestamp())}").retry_at == moment
    assert failure_of("2026-11-27T18:00:00Z ERROR rate limit").retry_at is None


@pytest.mark.parametrize(
    "text",
    ["Not logged in · Please run /login", "401 Unauthorized", "invalid x-api-key", "Your credit balance is too low",
     "insufficient_quota", "Missing environment variable: `X_KEY`.", "you must specify the GEMINI_API_KEY environment"],
)  # fmt: skip
def test_what_needs_a_person_is_a_matter_of_sign_in(text: str) -> None:
    assert failure_of(text).reason is EndReason.AUTH


@pytest.mark.parametrize("text", ["", "Segmentation fault", "connection refused", "14010 lines", "port 4290 in use"])
def test_everything_else_has_crashed(text: str) -> None:
    assert failure_of(text).reason is EndReason.CRASHED

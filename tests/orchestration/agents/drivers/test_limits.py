"""When a limit ends, as services and agents have been seen to say it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestration.agents.base import EndReason
from orchestration.agents.drivers.failures import failure_of
from orchestration.agents.drivers.limits import LONGEST_WAIT, moment_of, wait_of

NOW = datetime(2026, 11, 27, 19, 30, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("You've hit your usage limit. Upgrade to Pro or try again in 2 days 17 hours 14 minutes.", 234_840.0),
        ("Please try again in 1m12.5s. Visit https://example.org", 72.5),
        ("Your quota will reset after 11h32m15s.", 41_535.0),
        ("Please retry in 42.513s.", 42.513),
        ("try again in 20ms", 0.02),
        ("try again in less than a minute", 60.0),
        ('{"type":"usage_limit_reached","resets_at":1777936568,"resets_in_seconds":13872}', 13_872.0),
        ("try again in 5 weeks", LONGEST_WAIT),
        ("resets 8pm (Europe/Berlin)", None),
        ("resets 10 minutes", None),
    ],
)
def test_what_is_told_as_a_length_of_time(text: str, seconds: float | None) -> None:
    assert wait_of(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("You've hit your limit · resets 8pm (America/Indianapolis)", "2026-11-28 01:00"),
        ("You've hit your session limit · resets 2:30pm (Pacific/Auckland)", "2026-11-28 01:30"),
        ("Weekly limit reached · resets 10am (Asia/Seoul) · /upgrade to Max", "2026-11-28 01:00"),
        ("You've hit your weekly limit · resets Dec 2 at 9:00am (Europe/Berlin)", "2026-12-02 08:00"),
        ("Weekly limit reached ∙ resets Mon 12:00am (UTC)", "2026-11-30 00:00"),
        ("rate limit resets 23:15 UTC", "2026-11-27 23:15"),
        ("limit resets Nov 29, 2026 at 12am (UTC)", "2026-11-29 00:00"),
        ("limit resets 12:05 p.m. (UTC)", "2026-11-28 12:05"),
        ("limit resets 19:10 UTC", "2026-11-27 19:10"),  # just past: not tomorrow
        ("resets Nov 27 at 3pm (UTC)", "2026-11-27 15:00"),
    ],
)
def test_what_is_told_as_a_moment_in_its_zone(text: str, moment: str) -> None:
    assert moment_of(text, NOW) == datetime.fromisoformat(f"{moment}Z")


def test_a_moment_without_a_zone_is_in_that_of_this_process() -> None:
    told = moment_of("You've hit your usage limit. Try again at Dec 1st, 2026 7:38 AM.", NOW)
    assert told == datetime.fromisoformat("2026-12-01 07:38").astimezone(UTC)


@pytest.mark.parametrize(
    "text",
    [
        "resets 9am (Nowhere/City)", "resets 9am (../../etc/passwd)", "resets 9am (America)", "resets Feb 31 at 9am",
        "resets 25:00 UTC", "resets 13pm (UTC)", "resets soon", "resets 15",
        "5-hour limit reached ∙ resets 3pm (UTC)",  # told too late: no such window is open for so long
    ],
)  # fmt: skip
def test_what_is_no_moment_for_sure_is_none(text: str) -> None:
    assert moment_of(text, NOW) is None


def test_no_limit_is_taken_for_longer_than_a_week() -> None:
    assert moment_of("resets Jan 2 at 9am (UTC)", NOW) == NOW + timedelta(seconds=LONGEST_WAIT)


@pytest.mark.parametrize(
    "text",
    [
        "You've hit your limit · resets 8pm", "You've hit your session limit", "Weekly limit reached",
        "You have exhausted your capacity on this model.", "usage_limit_reached", "litellm.RateLimitError: x",
        "last status: 429 Too Many Requests", '{"error": {"code": 429}}', "API Error: 429 {}", "Error 429, slow down",
        "The model is overloaded", "5-hour limit hit", "APIError: Overloaded (529)",
    ],
)  # fmt: skip
def test_limits_of_plans_and_services_are_limits(text: str) -> None:
    assert failure_of(text).reason is EndReason.RATE_LIMITED


@pytest.mark.parametrize(
    "text",
    [
        'Traceback:\n  File "a.py", line 403, in main\nKeyError', "at f (/opt/cli.js:401:12782)", "port 529 is taken",
        "at compile (node:internal/loader:429:14)", "cannot write /tmp/zen-429/x", "src/a.py:401: error: x",
        "billing.py could not be written", "authenticate.ts:12 SyntaxError", "call of overloaded 'f(int)' is ambiguous",
        "tests/test_rate_limit.py failed", "context limit reached", "You have reached the maximum context limit",
        "error: 403 tests failed", "error TS429: bad",
    ],
)  # fmt: skip
def test_numbers_and_words_of_the_work_itself_are_neither_a_limit_nor_a_sign_in(text: str) -> None:
    assert failure_of(text).reason is EndReason.CRASHED


@pytest.mark.parametrize(
    "text",
    [
        "OAuth token has expired. Please obtain a new token", "Your access token could not be refreshed.",
        "Invalid bearer token", "API key not valid.", "unexpected status 401 Unauthorized", "status: 403", "(401)",
        "HTTP/1.1 401", "Your workspace is out of credits.", "402 Payment Required", "litellm.AuthenticationError: x",
    ],
)  # fmt: skip
def test_what_only_a_person_mends_is_a_matter_of_sign_in(text: str) -> None:
    assert failure_of(text).reason is EndReason.AUTH

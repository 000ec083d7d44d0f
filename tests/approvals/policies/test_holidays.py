"""Holidays reach as far as the clocks of a policy can, and what the library does not know is said."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from approvals.core.approval.events import Opened
from approvals.core.approval.flow import decide
from approvals.core.approval.state import State
from approvals.core.approval.timers import expires_at
from approvals.core.policy.chain import plan_of, years_of
from approvals.core.policy.definition import PolicyDefinition
from approvals.policies import holidays as calendars
from approvals.policies.checks import policy_warnings
from approvals.policies.holidays import holidays_of
from tests.system.contract.cast import account

AT = datetime(2026, 12, 30, 9, tzinfo=UTC)


def policy(*spans: str, holidays: str = "DE", **hours: Any) -> PolicyDefinition:
    stages = [{"name": f"s{number}", "who": {"users": ["bob"]}, "expire": span} for number, span in enumerate(spans, 1)]
    return PolicyDefinition.model_validate(
        {"policy": "p", "stages": stages, "hours": {"zone": "Europe/Berlin", "holidays": holidays, **hours}}
    )


def end(of: PolicyDefinition, at: datetime = AT) -> datetime | None:
    people = {"user:bob": frozenset({"bob"})}
    plan = plan_of(of, people, barred=frozenset(), holidays=holidays_of(of, at))
    state, _ = decide(plan, State(), Opened(at=at))
    return expires_at(plan, state)


def test_holidays_count_after_three_years_too() -> None:
    assert end(policy("800d business")) == datetime(2030, 2, 25, 9, tzinfo=UTC)


@pytest.mark.parametrize("days", [["mon"], ["sat", "sun"], ["mon", "tue", "wed", "thu", "fri"]])
def test_the_longest_span_that_is_taken_ends_among_known_holidays(days: list[str]) -> None:
    """Five years of these hours, whatever they are."""
    found = policy(f"{52 * 5 * len(days)}h business", days=days, opens="09:00", closes="10:00")
    ends = end(found)
    assert ends is not None and ends.year <= max(holidays_of(found, AT)).year


def test_a_later_stage_has_its_holidays_too() -> None:
    """Two years of working time, one after the other, three times: the last begins in the fifth year."""
    chain = policy(*["500d business"] * 3)
    assert years_of(chain) >= 7 and date(2033, 10, 3) in holidays_of(chain, AT)


def test_the_first_day_may_be_in_the_year_before() -> None:
    """It is the new year in London, and not yet in Los Angeles."""
    days = holidays_of(policy("8h business", holidays="BR"), datetime(2027, 1, 1, 3, tzinfo=UTC))
    assert min(days).year == 2026


def test_the_work_is_bounded() -> None:
    stage = {"who": {"users": ["bob"]}, "expire": "366d", "remind": ["1h business"]}
    most = PolicyDefinition.model_validate(
        {"policy": "p", "stages": [{"name": f"s{n}", **stage} for n in range(20)], "hours": {"holidays": "DE"}}
    )
    assert years_of(most) <= 22
    assert years_of(policy(*["1000d business"] * 20)) <= 202
    assert max(holidays_of(policy(*["1000d business"] * 20), AT)).year == 2100, "the library knows no later one"


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["", "tr", "C"])
def test_what_the_library_does_not_know_is_a_doubt(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", language)
    monkeypatch.delenv("LANG", raising=False)
    calendars._calendar.cache_clear()
    account("bob")
    assert policy_warnings(policy("3d business")) == []
    (short,) = policy_warnings(policy("3d business", holidays="LK"))
    assert "known until 2026" in short and "workdays" in short
    assert any("2001 to 2035" in one for one in policy_warnings(policy(*["1000d business"] * 3, holidays="IN")))
    assert any("estimated" in one for one in policy_warnings(policy(*["1000d business"] * 6, holidays="TR")))
    assert policy_warnings(policy("3d", holidays="LK")) == [], "wall time asks for no holidays"

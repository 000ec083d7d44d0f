"""How long a wait is that its run has to find out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from orchestration.actions.base import Call
from orchestration.core.enums import Outcome
from orchestration.execution.perform import perform

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
Build = Callable[..., Call]


@pytest.fixture(autouse=True)
def _at_noon() -> Any:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.mark.parametrize(
    ("given", "due"),
    [
        ({"seconds": 90}, NOON + timedelta(seconds=90)),
        ({"seconds": 1.5, "hours": 1, "days": 2}, NOON + timedelta(days=2, hours=1, seconds=1.5)),
        ({"minutes": 0}, NOON),
        ({"until": "2026-07-01T14:00:00+02:00"}, NOON),
        ({"until": "2026-07-02T00:00:00Z"}, NOON + timedelta(hours=12)),
        ({"until": "2020-01-01T00:00:00Z"}, datetime(2020, 1, 1, tzinfo=UTC)),
    ],
)
def test_when_it_is_over(call: Build, given: dict[str, Any], due: datetime) -> None:
    result = perform(dataclasses.replace(call(), action={"type": "wait", **given}))
    assert (result.outcome, result.resume_at) == (Outcome.SUCCEEDED, due)
    assert isinstance(result.output, dict) and datetime.fromisoformat(str(result.output["until"])) == due


NO_LENGTHS: list[Any] = [-1, "30", "", True, None, [1], {"a": 1}, float("nan"), float("inf"), 1e300, 10**400]
NO_TIMES: list[Any] = ["soon", "2026-07-01", "2026-07-01T14:00:00", "", 1782907200, True, [], {}, None, "9" * 100_000]
TOO_LATE: list[Any] = [{"days": 367}, {"days": 366, "seconds": 1}, {"until": "2027-08-01T00:00:00Z"},
                       {"until": "9999-12-31T23:59:59Z"}]  # fmt: skip


@pytest.mark.parametrize(
    "given", [*({"seconds": value} for value in NO_LENGTHS), *({"until": value} for value in NO_TIMES), *TOO_LATE]
)
def test_a_value_that_is_no_time_fails_cleanly(call: Build, given: dict[str, Any]) -> None:
    result = perform(dataclasses.replace(call(), action={"type": "wait", **given}))
    assert (result.outcome, result.maybe, result.resume_at) == (Outcome.FAILED, False, None)
    assert result.error and len(result.error) < 300

"""What a policy may say, heard when it is checked and not with the first request."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.services.policies import check_policy
from orchestration.errors import BadInput

POLICY: dict[str, Any] = {"policy": "p", "stages": [{"name": "s", "who": {"users": ["bob"]}}]}


@pytest.mark.parametrize("region", ["", "DE", "DE-BE", "US-CA"])
def test_a_region_with_holidays(region: str) -> None:
    assert check_policy({**POLICY, "hours": {"holidays": region}}).hours.holidays == region


@pytest.mark.parametrize(
    ("region", "remedy"),
    [
        ("XX", "such as DE-BE"),
        ("de", "such as DE-BE"),
        ("DE-XX", "the parts of DE are"),
        ("US-", "the parts of US are"),
        ("HolidayBase", "such as DE-BE"),
        ("utils", "such as DE-BE"),
    ],
)
def test_a_region_without_is_refused_by_name(region: str, remedy: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_policy({**POLICY, "hours": {"holidays": region}})
    assert refused.value.field == "hours.holidays" and f"'{region}'" in refused.value.message
    assert remedy in refused.value.remedy

"""What a policy may say, heard when it is checked and not with the first request."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.models import Request
from approvals.policies import conditions
from approvals.policies.publish import check_policy
from foundation.errors import BadInput
from tests.approvals.scenes import asked, published
from tests.system.contract.cast import account, says

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


@pytest.mark.parametrize(
    ("stage", "field", "remedy"),
    [
        ({"how_mny": "all"}, "stages[0].how_mny", "did you mean 'how_many'?"),
        ({"who": {"user": ["bob"]}}, "stages[0].who.user", "did you mean 'users'?"),
        ({"zzz": 1}, "stages[0].zzz", "see docs/reference/policies.md for the keys"),
    ],
)
def test_an_unknown_key_is_likened_to_a_known_one(stage: dict[str, Any], field: str, remedy: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_policy({"policy": "p", "stages": [{**POLICY["stages"][0], **stage}]})
    assert (field, remedy) in [(one["field"], one["remedy"]) for one in refused.value.problems]


@pytest.mark.django_db
def test_less_time_is_asked_for_and_never_more() -> None:
    account("bob")
    published({
        "policy": "p",
        "stages": [{"name": "s", "who": {"users": ["bob"]}, "expire": "4h business", "latest": "3d"}],
    })  # fmt: skip
    for seconds, latest in ((30 * 86_400, "3d"), (3600, 3600.0)):
        body = asked(policy="p", timeout_seconds=seconds).policy.body["stages"][0]
        assert (body["expire"], body["latest"]) == ("4h business", latest)
    for wrong in ({"expire": None, "at_the_end": "hold", "latest": "1d"}, {"latest": "1d business"}):
        with pytest.raises(BadInput, match="latest is an end in wall time"):
            published({"policy": "q", "stages": [{"name": "s", "who": {"users": ["bob"]}, **wrong}]})


@pytest.mark.django_db
@pytest.mark.parametrize("opens", [9, "9", "9:00", "25:00", "09:00Z", 32400, None, True])
def test_an_hour_is_written_as_a_clock_shows_it(opens: Any) -> None:
    with pytest.raises(BadInput, match=r"hours\.opens.*such as '09:00'"):
        check_policy({**POLICY, "hours": {"opens": opens}})


@pytest.mark.django_db
def test_hours_of_its_own_live_from_publishing_to_the_decision() -> None:
    account("bob")
    stage = {"name": "s", "who": {"users": ["bob"]}, "expire": "4h business"}
    published(
        {"policy": "p", "stages": [stage], "hours": {"opens": "08:00", "closes": "18:30", "zone": "Europe/Berlin"}}
    )
    request = asked(policy="p")
    assert request.policy.body["hours"]["closes"] == "18:30:00"
    assert says("bob", "approve", request).status == "approved"


@pytest.mark.parametrize(
    "condition",
    ["request.context.l[5] == 1", "1 / request.context.z == 1", "request.context.n + 9223372036854775807 > 0"],
)
def test_a_condition_that_cannot_be_answered_is_a_no(condition: str) -> None:
    account("bob")
    published({"policy": "p", "auto_approve": condition, "stages": [{"name": "s", "who": {"users": ["bob"]}}]})
    assert asked("x", policy="p", context={"l": [1], "z": 0, "n": 2}).status == "pending"


@pytest.mark.parametrize(
    ("condition", "most"),
    [
        ("request.context.l.filter(x, x < 0) == []", 3000),
        ("request.context.l.map(x, x) != []", 3000),
        ("request.context.l.all(x, x in request.context.l)", 3000),
        ("request.context.l.all(x, request.context.l.exists(y, y == x))", 1000),
        ("request.context.l.all(x, x >= 0)", 10_000),
        ("request.context.l.size() > 1 && request.context.t == '.map(x, .map(x, .map(x,'", 10_000),
    ],
)
def test_a_condition_is_not_asked_of_more_than_it_can_walk_through_soon(
    condition: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks brings the context, so nobody is approved, and nothing stands still, by a long list."""
    context = {"l": [*range(most)], "t": ".map(x, .map(x, .map(x,"}
    request = Request(stage="s", requester="r")
    monkeypatch.setattr("cel.evaluate", lambda expression, names: True)
    assert conditions.holds(condition, conditions.seen(request, {"context": context}))
    context["l"] = [*range(10 * most)]
    assert conditions.holds(condition, conditions.seen(request, {"context": context})) is (most == 10_000)

"""What is valid and will hardly be meant is said, and stops nothing; a condition about nothing is refused."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.policies import conditions
from approvals.policies.checks import policy_warnings
from approvals.policies.publish import check_policy
from foundation.errors import BadInput
from tests.system.contract.cast import account

pytestmark = pytest.mark.django_db


def doubts(**stage: Any) -> list[str]:
    account("bob")
    body = {"policy": "p", "stages": [{"name": "s", "who": {"users": ["bob"]}, **stage}]}
    return policy_warnings(check_policy(body))


def test_nothing_is_doubted_for_no_reason() -> None:
    escalate = [{"after": "8h business", "to": {"users": ["bob"]}}]
    assert doubts(expire="1d", remind=["4h", "2d business"], escalate=escalate, editable=["context.n"]) == []


def test_what_never_comes_and_who_is_not_there() -> None:
    late = [{"after": "2d", "to": {"users": ["nobody"]}}]
    found = doubts(expire="1d", remind=["2d", "4h", "1d"], escalate=late, channels=["slack://none"], editable=["n"])
    assert [line.partition(" ")[0] for line in found] == ["stage"] * 4 + ["there"]
    assert "remind at 2d never comes, since expire is 1d" in found[0] and "escalate at 2d" in found[1]
    assert "no channel 'slack://none'" in found[2] and "editable 'n'" in found[3] and "no user 'nobody'" in found[4]


@pytest.mark.parametrize(
    "condition",
    [
        "request.stage == 'requset.foo' && request.context.size < 5",
        "size(request.context.items.filter(i, i > 2)) > 2 || has(request.facts.x)",
        'request.action.url == "https://x/request.other"',
        "true",
        "request.context.request.id == 1 && request.action.request.method == 'GET'",
        "type(request.context.x) == int && [1, 2].exists (x, x > 1)",
        "request.stage == '''a 'request.foo' b''' // and not request.bar",
    ],
)
def test_a_condition_about_a_request(condition: str) -> None:
    conditions.check(condition, field="auto_approve")


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("requset.context.n == 1", "there is no 'requset' here"),
        ("request.foo == 1", "a request has no 'foo'"),
        ("[1].all(i, i > j)", "there is no 'j' here"),
        ("request.stage ==", "not a CEL expression"),
    ],
)
def test_a_condition_about_nothing(condition: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        conditions.check(condition, field="auto_approve")

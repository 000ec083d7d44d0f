"""What is refused when it is asked: who asks hears of it at once, and nothing is stored."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from approvals.models import Request
from approvals.requests import resubmit
from foundation.errors import BadInput
from orchestration.runs.start_inputs import WORKFLOW_ID
from tests.approvals.scenes import ADA, asked, published
from tests.system.contract.cast import account


def refused(**given: Any) -> BadInput:
    with pytest.raises(BadInput) as found:
        asked(**given)
    assert not Request.objects.exists()
    return found.value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("description", "Use {secret:TOKEN}?"),
        ("title", "{secret:TOKEN}"),
        ("context", {"deep": [{"key": "a {secret:TOKEN} b"}]}),
    ],
)
def test_a_secret_is_not_shown_to_people(field: str, value: Any) -> None:
    error = refused(approvers=("bob",), **{field: value})
    assert error.field == field and "{secret:TOKEN}" in error.message and "leave" in error.remedy


def test_nor_is_it_added_later() -> None:
    request = asked(approvers=("bob",), action={"headers": {"key": "{secret:TOKEN}"}})
    with pytest.raises(BadInput, match="secret reference"):
        resubmit(request_id=request.request_id, actor=ADA, context={"key": "{secret:TOKEN}"})


@pytest.mark.parametrize("how_many", [5, 2])
def test_more_than_there_are_never_approve(how_many: int) -> None:
    account("ada", "approver", "operator")
    error = refused(approvers=("bob", "ada"), how_many=how_many)  # ada asks, so she does not count
    assert error.field == "how_many" and f"needs {how_many} approvals" in error.message and "1 at most" in error.message


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ({"who": {"users": ["bob"]}, "how_many": 2}, "needs 2 approvals"),
        ({"who": {"groups": ["a", "b"]}, "how_many": {"a": 2, "b": 1}}, "needs 3 approvals"),
        ({"who": {"groups": ["a", "b"]}, "how_many": {"a": 1, "b": 2}}, "needs 3 approvals"),
        (
            {
                "who": {"users": ["bob"]},
                "escalate": [{"after": "1h", "to": {"groups": ["c"]}, "authority": "transfer"}],
            },
            "escalation of stage 's' would leave nobody who can decide: group:c",
        ),
    ],
)
def test_a_policy_that_cannot_be_met_is_refused(stage: dict[str, Any], said: str) -> None:
    for name, groups in (("bob", ["a"]), ("carol", ["a", "b"])):
        account(name, "approver", *groups)
    Group.objects.create(name="c")
    published({"policy": "p", "stages": [{"name": "s", **stage}]})
    error = refused(policy="p")
    assert error.field == "policy" and said in error.message and error.remedy


def test_a_person_decides_in_one_stage_only() -> None:
    stages = [{"name": name, "who": {"users": ["bob"]}} for name in ("one", "two")]
    published({"policy": "p", "stages": stages})
    assert "more people together" in refused(policy="p").message


@pytest.mark.parametrize("authority", ["add", "transfer"])
def test_an_escalation_may_bring_whom_the_stage_lacks(authority: str) -> None:
    levels = [{"after": "1h", "to": {"users": ["carol"]}, "authority": authority}]
    published({"policy": "p", "stages": [{"name": "s", "who": {"users": ["bob"]}, "how_many": 2, "escalate": levels}]})
    assert asked(policy="p").status == "pending"


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("approvers", {"approvers": ("zoe",)}),
        ("approvers", {"approvers": ("group:none",)}),
        ("how_many", {"approvers": ("bob",), "how_many": "most"}),
        ("callback_url", {"approvers": ("bob",), "callback_url": "ftp://example.org"}),
        ("policy", {"policy": "stndard"}),
    ],
)
def test_an_error_names_what_was_sent(field: str, given: dict[str, Any]) -> None:
    error = refused(**given)
    assert error.field == field and error.remedy
    assert {problem["field"] for problem in error.problems} <= {field}


def test_a_policy_is_named_with_what_it_lacks() -> None:
    published({"policy": "p", "stages": [{"name": "s", "who": {"users": ["zoe"]}}]})
    error = refused(policy="p")
    assert (error.field, error.message) == ("policy", "policy 'p': there is no user 'zoe'")


@pytest.mark.parametrize(
    ("stage", "about"), [("Deploy to prod!", ""), ("~x", "a b"), ("s" * 100, "r" * 200), ("ü", "ü")]
)
def test_any_stage_gets_a_handle(stage: str, about: str) -> None:
    request = asked(stage, approvers=("bob",), about=about)
    assert WORKFLOW_ID.fullmatch(request.request_id) and request.stage == stage

"""What a stage asks of whoever decides: typed, kept with the vote, and given to the run that waits."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.core.policy.definition import PolicyDefinition
from approvals.core.policy.form import FormField
from approvals.evidence.receipt import receipt
from approvals.models import Policy, Request, Vote
from approvals.queries.view import request_view
from approvals.requests import publish_policy
from approvals.requests.form_answers import answers_to, wanted
from foundation.errors import BadInput
from foundation.models import AuditEvent
from tests.approvals.scenes import ADA, asked
from tests.system.contract.cast import account, says

FIELDS: list[dict[str, Any]] = [
    {"name": "ticket", "label": "Change ticket"},
    {"name": "wave", "type": "integer", "minimum": 1, "maximum": 10},
    {"name": "zone", "type": "choice", "choices": ["north", "south"], "required": False},
    {"name": "risk", "type": "choice", "choices": ["low", "high"], "on": ["approve", "reject"]},
    {"name": "day", "type": "date", "required": False},
    {"name": "tested", "type": "boolean", "required": False},
    {"name": "share", "type": "number", "required": False},
]
FORM = [FormField.model_validate(field) for field in FIELDS]
GIVEN: dict[str, Any] = {"ticket": "CHG-1", "wave": 2, "risk": "low"}


def opened() -> Request:
    account("bob")
    account("carol")
    stages = [{"name": "one", "who": {"users": ["bob", "carol"]}, "form": FIELDS}]
    publish_policy(data={"policy": "with-form", "stages": stages}, actor=ADA)
    return asked(policy="with-form")


@pytest.mark.django_db(transaction=True)
def test_an_answer_is_kept_with_the_vote_and_proved() -> None:
    request = opened()
    assert [field["name"] for field in request_view(request)["form"]] == [field["name"] for field in FIELDS]
    request = says("bob", "approve", request, answers=GIVEN | {"tested": "yes", "share": "0.5"})
    told = {"ticket": "CHG-1", "wave": 2, "risk": "low", "tested": True, "share": 0.5}
    assert request.status == "approved" and Vote.objects.get().answers == told
    assert AuditEvent.objects.get(action="approval.approve").data["answers"] == told
    assert request_view(request)["votes"][0]["answers"] == told and request_view(request)["form"] == []
    assert receipt(request)["votes"][0]["answers"] == told


@pytest.mark.django_db(transaction=True)
def test_what_is_missing_is_named_and_nothing_has_changed() -> None:
    request = opened()
    with pytest.raises(BadInput, match="'Change ticket' has to be answered to approve") as refused:
        says("bob", "approve", request, answers={"wave": 1, "risk": "low"})
    assert refused.value.field == "answers.ticket" and not Vote.objects.exists()
    assert says("bob", "reject", request, comment="no", answers={"risk": "high"}).status == "rejected"


@pytest.mark.parametrize(
    ("more", "field", "remedy"),
    [
        ({"wave": 11}, "wave", "a whole number from 1 up to 10"),
        ({"wave": 1.5}, "wave", "a whole number from 1 up to 10"),
        ({"wave": "two"}, "wave", "a whole number from 1 up to 10"),
        ({"wave": True}, "wave", "a whole number from 1 up to 10"),
        ({"share": float("nan")}, "share", "a number"),
        ({"share": "nan"}, "share", "a number"),
        ({"share": 10**400}, "share", "a number"),
        ({"share": "9" * 401}, "share", "a number"),
        ({"wave": 10**400}, "wave", "a whole number from 1 up to 10"),
        ({"wave": "9" * 400}, "wave", "a whole number from 1 up to 10"),
        ({"wave": -(10**400)}, "wave", "a whole number from 1 up to 10"),
        ({"share": "12345678901234567.89"}, "share", "at most 15 digits where it has a fraction"),
        ({"share": "0.12345678901234567890"}, "share", "at most 15 digits where it has a fraction"),
        ({"share": "1e-400"}, "share", "at most 15 digits where it has a fraction"),
        ({"share": "1e400"}, "share", "at most 15 digits where it has a fraction"),
        ({"ticket": "a\ud800"}, "ticket", "a text of at most 2000 characters"),
        ({"zone": "east"}, "zone", "one of: north, south"),
        ({"zone": ["north"]}, "zone", "one of: north, south"),
        ({"day": "2026-02-30"}, "day", "a date, such as 2026-11-25"),
        ({"day": "20260203"}, "day", "a date, such as 2026-11-25"),
        ({"tested": 1}, "tested", "yes or no"),
        ({"tested": "maybe"}, "tested", "yes or no"),
        ({"ticket": "x" * 2001}, "ticket", "a text of at most 2000 characters"),
        ({"ticket": "a\0b"}, "ticket", "a text of at most 2000 characters"),
        ({"ticket": 7}, "ticket", "a text of at most 2000 characters"),
        ({"ticket": "  "}, "ticket", "a text of at most 2000 characters"),
        ({"tikcet": "x"}, "tikcet", "what is: ticket, wave, zone, risk, day, tested, share"),
    ],
)
def test_what_does_not_fit_is_refused(more: dict[str, Any], field: str, remedy: str) -> None:
    with pytest.raises(BadInput) as refused:
        answers_to(FORM, "approve", GIVEN | more)
    assert (refused.value.field, refused.value.remedy) == (f"answers.{field}", remedy)


@pytest.mark.parametrize(
    ("written", "kept"),
    [("0.1", 0.1), ("1.10", 1.1), ("12", 12.0), ("1e5", 1e5), ("-0.5", -0.5), ("99999999999.99", 99999999999.99),
     ("12345678901234567890", 12345678901234567890), ("-9007199254740993", -9007199254740993), ("1e22", 1e22)],
)  # fmt: skip
def test_a_number_that_is_typed_in_is_kept_as_it_is(written: str, kept: float) -> None:
    found = answers_to(FORM, "approve", GIVEN | {"share": written})["share"]
    assert found == kept and type(found) is type(kept)


def test_only_what_this_decision_asks_for_is_taken() -> None:
    assert answers_to(FORM, "reject", {"risk": "high"}) == {"risk": "high"}
    assert answers_to(FORM, "abstain", {}) == {}
    with pytest.raises(BadInput, match="not asked for with abstain"):
        answers_to(FORM, "abstain", {"risk": "high"})


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ([{"name": "a", "type": "choice"}], "needs some"),
        ([{"name": "a", "choices": ["x"]}], "needs some"),
        ([{"name": "a", "minimum": 1}], "belong to type: number"),
        ([{"name": "a", "type": "number", "minimum": 2, "maximum": 1}], "above maximum"),
        ([{"name": "a", "type": "number", "minimum": "9" * 400}], "minimum"),
        ([{"name": "a", "type": "number", "maximum": "inf"}], "maximum"),
        ([{"name": "a"}, {"name": "a"}], "two fields of its form are called a"),
        ([{"name": "A b"}], "name"),
        ([{"name": "a", "on": []}], "on"),
        ([{"name": "a", "type": "colour"}], "type"),
    ],
)
@pytest.mark.django_db
def test_a_form_that_cannot_be_is_refused_with_its_policy(form: list[dict[str, Any]], words: str) -> None:
    account("bob")
    with pytest.raises(BadInput, match=words):
        publish_policy(
            data={"policy": "p", "stages": [{"name": "one", "who": {"users": ["bob"]}, "form": form}]}, actor=ADA
        )


def published_with(**field: Any) -> FormField:
    account("bob")
    form = [{"name": "a", **field}]
    stages = [{"name": "one", "who": {"users": ["bob"]}, "form": form}]
    policy, _ = publish_policy(data={"policy": "p", "stages": stages}, actor=ADA)
    return PolicyDefinition.model_validate(Policy.objects.get(pk=policy.pk).body).stages[0].form[0]


@pytest.mark.parametrize("kind", ["integer", "number"])
@pytest.mark.parametrize(
    ("bound", "words"),
    [
        (2**53 + 1, "beyond 9007199254740992"),
        (-(10**30), "beyond 9007199254740992"),
        (10**400, "a"),  # refused before anything else looks at it
        (True, "not a number"),
        (False, "not a number"),
        ("5", "not a number"),
        ("nan", "not a number"),
        (float("inf"), "a"),
    ],
)
@pytest.mark.django_db
def test_a_bound_that_is_no_number_or_would_be_rounded_is_refused(kind: str, bound: Any, words: str) -> None:
    for name in ("minimum", "maximum"):
        with pytest.raises(BadInput, match=words) as refused:
            published_with(type=kind, **{name: bound})
        assert refused.value.field.startswith("stages[0].form[0]")
    assert not Policy.objects.exists()


@pytest.mark.parametrize("bound", [2.5, 1e30, -1e300])
@pytest.mark.django_db
def test_a_bound_of_whole_numbers_is_whole_and_that_of_others_need_not_be(bound: float) -> None:
    with pytest.raises(BadInput, match="not whole|beyond"):
        published_with(type="integer", minimum=bound)
    assert published_with(type="number", minimum=bound).minimum == bound


@pytest.mark.parametrize("bound", [0, -5, 2**53, -(2**53), 5.0, 1234567])
@pytest.mark.django_db
def test_a_bound_is_kept_and_told_as_it_is(bound: float) -> None:
    found = published_with(type="integer", minimum=bound)
    assert (found.minimum, type(found.minimum)) == (bound, type(bound))
    assert wanted(found) == f"a whole number from {int(bound)}"


@pytest.mark.parametrize("bound", [9007199254740992.0, -1e30, 10**30, 2.5, 1])
@pytest.mark.parametrize("kind", ["integer", "number"])
@pytest.mark.django_db
def test_a_policy_that_was_kept_before_is_read_as_it_is(kind: str, bound: float) -> None:
    account("bob")
    stages = [{"name": "one", "who": {"users": ["bob"]}, "form": [{"name": "a", "type": kind, "maximum": bound}]}]
    body = {"policy": "with-form", "stages": stages}
    Policy.objects.create(name="with-form", version=1, hash="h", published=True, body=body)
    (field,) = request_view(asked(policy="with-form"))["form"]
    assert (field["maximum"], type(field["maximum"])) == (bound, type(bound))

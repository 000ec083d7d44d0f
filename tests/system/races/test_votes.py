"""Votes that meet at the same instant: the quorum is reached once, and each refusal names who won."""

from __future__ import annotations

import re
from functools import partial

import pytest

from approvals.models import Vote
from approvals.requests import publish_policy
from foundation.errors import WrongState
from tests.system.contract.cast import account, says
from tests.system.contract.sagas import ADA
from tests.system.races.scenes import TIMES, ends_of, opened, race, refusals, whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases, pytest.mark.slow]


@pytest.mark.parametrize("how_many", ["all", 2])
def test_two_last_votes_reach_the_quorum_once(how_many: str | int) -> None:
    for _ in range(TIMES):
        request = opened(how_many=how_many)
        assert (
            refusals(race(partial(says, "bob", "approve", request), partial(says, "carol", "approve", request))) == []
        )
        request = whole(request)
        assert request.status == "approved" and ends_of(request) == ["approved"] and request.votes.count() == 2


def test_two_last_votes_open_the_next_stage_once() -> None:
    stages = [
        {"name": "peers", "who": {"users": ["bob", "carol"]}, "how_many": "all"},
        {"name": "lead", "who": {"users": ["dora"]}},
    ]
    publish_policy(data={"policy": "chain", "stages": stages}, actor=ADA)
    for _ in range(TIMES):
        request = opened(policy="chain", approvers=())
        race(partial(says, "bob", "approve", request), partial(says, "carol", "approve", request))
        request = whole(request)
        stages_opened = request.run.events.filter(kind="approval.stage_opened").values_list("data__stage", flat=True)
        assert list(stages_opened) == ["peers", "lead"] and request.status == "pending"
        assert says("dora", "approve", request).status == "approved"


def test_of_two_who_press_at_once_one_decides_and_the_other_hears_who() -> None:
    for number in range(TIMES):
        words = ("approve", "approve" if number % 2 else "reject")
        request = opened()
        outcomes = race(
            *(partial(says, name, word, request) for name, word in zip(("bob", "carol"), words, strict=True))
        )
        (refusal,) = refusals(outcomes)
        request = whole(request)
        vote = request.votes.get()
        assert isinstance(refusal, WrongState) and ends_of(request) == [request.status]
        assert re.search(rf"{request.status} already by {vote.name}, since \d{{4}}-.* UTC", str(refusal))


@pytest.mark.parametrize("how_many", ["any", "all"])
def test_a_double_click_is_heard_once(how_many: str) -> None:
    for _ in range(TIMES):
        request = opened(how_many=how_many)
        assert refusals(race(*[partial(says, "bob", "approve", request)] * 3)) == []
        request = whole(request)
        assert request.votes.count() == 1 and request.status == ("approved" if how_many == "any" else "pending")


@pytest.mark.parametrize("how_many", ["any", "all"])
def test_of_two_words_of_one_person_one_is_heard(how_many: str) -> None:
    for _ in range(TIMES):
        request = opened(how_many=how_many)
        outcomes = race(partial(says, "bob", "approve", request), partial(says, "bob", "reject", request))
        (refusal,) = refusals(outcomes)
        vote = whole(request).votes.get()
        assert isinstance(refusal, WrongState) and re.search(r"already", str(refusal))
        assert (vote.choice == "approve") == (not isinstance(outcomes[0], Exception))


def test_eight_people_and_a_quorum_of_three() -> None:
    names = [f"p{number}" for number in range(8)]
    for name in names:
        account(name)
    for _ in range(8):
        request = opened(approvers=tuple(names), how_many=3)
        outcomes = race(*(partial(says, name, "approve", request) for name in names))
        request = whole(request)
        assert len(refusals(outcomes)) == 5 and Vote.objects.filter(request=request).count() == 3
        assert ends_of(request) == ["approved"]

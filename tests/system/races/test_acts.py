"""Other acts against votes and against each other: one of them wins, and the other is told so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from approvals.external_flow import APPROVAL
from approvals.models import Delegation, Request
from approvals.requests import delegate_while_away, end_delegation, name_people, reassign, resubmit, revoke, withdraw
from foundation.clock import now
from foundation.errors import NotAllowed, WrongState
from tests.system.contract.cast import account, actor, says
from tests.system.contract.sagas import ADA
from tests.system.races.scenes import TIMES, ends_of, opened, race, refusals, whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases, pytest.mark.slow]


def aborted(request: Request) -> Callable[[], str]:
    """What the engine of the parent run tells its children when it is aborted."""
    return lambda: APPROVAL.on_message(request.run, {"kind": "abort_requested", "by": "parent run", "note": "aborted"})


def test_a_vote_against_the_abort_of_the_run() -> None:
    for _ in range(TIMES):
        request = opened()
        spoken, heard = race(partial(says, "bob", "approve", request), aborted(request))
        request = whole(request)
        if isinstance(spoken, Exception):
            assert "cancelled already by parent run, since" in str(spoken) and heard == ""
        else:
            assert heard == "the request is approved already"
        assert ends_of(request) == ["cancelled" if isinstance(spoken, Exception) else "approved"]


def test_a_withdrawal_against_a_yes() -> None:
    for _ in range(TIMES):
        request = opened()
        outcomes = race(
            partial(says, "bob", "approve", request),
            partial(withdraw, request_id=str(request), actor=ADA),
        )
        (refusal,) = refusals(outcomes)
        request = whole(request)
        assert isinstance(refusal, WrongState) and f"{request.status} already" in str(refusal)
        assert ends_of(request) == [request.status] and request.decided_by in ("bob", "ada")


def test_a_seat_that_is_given_away_while_its_owner_speaks() -> None:
    for _ in range(TIMES):
        request, bob = opened(how_many="all"), actor(account("bob"))
        spoken, given = race(
            partial(says, "bob", "approve", request),
            partial(reassign, request_id=str(request), actor=bob, to="dora"),
        )
        request = whole(request)
        assert isinstance(spoken, Exception) != isinstance(given, Exception)
        if isinstance(spoken, Exception):
            assert isinstance(spoken, NotAllowed) and says("dora", "approve", request).status == "pending"
        assert says("carol", "approve", request).status == "approved"
        assert whole(request).votes.count() == 2


def test_a_seat_that_is_given_to_two_people_at_once() -> None:
    account("emil")
    for _ in range(TIMES):
        request, bob = opened(how_many="all"), actor(account("bob"))
        outcomes = race(
            *(
                partial(reassign, request_id=str(request), actor=by, to=who, person="bob")
                for who, by in (("dora", bob), ("emil", ADA))
            )
        )
        (refusal,) = refusals(outcomes)
        request = whole(request)
        assert isinstance(refusal, WrongState) and "no vote here to delegate" in str(refusal)
        assert len({seat.person for seat in request.seats.all()} - {f"user:{account('carol').pk}"}) == 1


def away(owner: str, to: str) -> Delegation:
    rule: Delegation = delegate_while_away(
        actor=ADA, owner=account(owner), to=account(to), starts_at=now() - timedelta(minutes=1),
        ends_at=now() + timedelta(days=1),
    )  # fmt: skip
    return rule


def test_the_owner_and_the_one_who_stands_in_have_one_voice() -> None:
    away("bob", "dora")
    for _ in range(TIMES):
        request = opened(how_many="all")
        outcomes = race(partial(says, "bob", "approve", request), partial(says, "dora", "approve", request))
        (refusal,) = refusals(outcomes)
        request = whole(request)
        assert isinstance(refusal, NotAllowed) and request.status == "pending"
        assert request.votes.get().owner == f"user:{account('bob').pk}"
        assert says("carol", "approve", request).status == "approved"


def test_a_delegation_that_ends_while_it_is_used() -> None:
    for _ in range(TIMES):
        rule, request = away("bob", "dora"), opened()
        spoken, _ = race(
            partial(says, "dora", "approve", request),
            partial(end_delegation, actor=ADA, delegation_id=rule.pk),
        )
        request = whole(request)
        if isinstance(spoken, Exception):
            assert isinstance(spoken, NotAllowed) and says("bob", "approve", request).status == "approved"
        else:
            assert request.votes.get().delegation_id == rule.pk


def test_other_people_are_named_while_the_first_ones_speak() -> None:
    for _ in range(TIMES):
        request = opened(how_many="all")
        outcomes = race(
            partial(says, "bob", "approve", request),
            partial(says, "carol", "approve", request),
            partial(name_people, request_id=str(request), actor=ADA, users=["dora"]),
        )
        request = whole(request)
        assert all(isinstance(one, NotAllowed | WrongState) for one in refusals(outcomes))
        if request.status == "pending":
            assert says("dora", "approve", request).status == "approved"
        assert ends_of(whole(request)) == ["approved"]


def resubmitted(request: Request) -> Callable[[], Any]:
    return partial(resubmit, request_id=str(request), actor=ADA, context={"replicas": 9})


def test_a_vote_counts_for_the_content_that_was_seen_or_not_at_all() -> None:
    for _ in range(TIMES):
        request = opened(how_many="all", context={"replicas": 3})
        spoken, changed = race(
            partial(says, "bob", "approve", request, seen=request.content_hash), resubmitted(request)
        )
        request = whole(request)
        assert not isinstance(changed, Exception) and request.round == 2
        if isinstance(spoken, Exception):
            assert "has changed since it was shown" in str(spoken) and not request.votes.exists()
        else:
            assert request.votes.get().round == 1 and request.votes.get().content_hash != request.content_hash
        for name in ("bob", "carol"):
            request = says(name, "approve", request)
        assert whole(request).status == "approved"


def test_a_last_vote_against_another_content() -> None:
    for _ in range(TIMES):
        request = opened(context={"replicas": 3})
        spoken, changed = race(
            partial(says, "bob", "approve", request, seen=request.content_hash), resubmitted(request)
        )
        request = whole(request)
        assert isinstance(spoken, Exception) != isinstance(changed, Exception)
        if isinstance(spoken, Exception):
            assert (request.status, request.round) == ("pending", 2) and request.content["context"] == {"replicas": 9}
        else:
            assert request.status == "approved" and request.content["context"] == {"replicas": 3}


def test_a_yes_that_is_taken_back_twice() -> None:
    for _ in range(TIMES):
        request = says("bob", "approve", opened())
        outcomes = race(*[partial(revoke, request_id=str(request), actor=ADA)] * 2)
        assert len(refusals(outcomes)) == 1
        assert ends_of(whole(request)) == ["approved", "withdrawn"]

"""Who hears of what, while somebody is away: a closed deputy nothing, a new one of what is open, an asker not of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from approvals.models import Delegation
from approvals.requests import delegate_while_away, end_delegation, remind
from approvals.requests.state.reconcile import reconcile
from foundation.clock import now
from foundation.errors import NotAllowed
from notifications.models import Delivery, Notice
from tests.approvals.api.test_requests import client_for
from tests.approvals.later import after
from tests.approvals.requests.test_who_people_are import asked, decided
from tests.system.contract.cast import account, actor
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def away(owner: str, to: str, *, begins: timedelta = timedelta(), **more: Any) -> Delegation:
    start = now() + begins
    return delegate_while_away(
        actor=ADA, owner=account(owner), to=account(to), starts_at=start, ends_at=start + timedelta(days=7), **more
    )


def opened(by: str = "ann", *approvers: str, **more: Any) -> str:
    answer = asked(client_for(account(by, "operator")), *(approvers or ("ben",)), **more)
    assert answer.status_code == 201, answer.content
    request_id: str = answer.json()["request_id"]
    return request_id


def heard(name: str) -> list[str]:
    return list(Delivery.objects.filter(user__username=name).order_by("pk").values_list("notice__kind", flat=True))


def closed(name: str) -> None:
    User.objects.filter(username=name).update(is_active=False)


def test_a_closed_deputy_hears_nothing() -> None:
    account("ben")
    away("ben", "cleo")
    closed("cleo")
    request = opened()
    remind(request_id=request, actor=ADA)
    assert heard("cleo") == [] and heard("ben")[0] == "approval.asked"


def test_nor_does_one_who_may_not_decide_any_more_or_an_owner_whose_account_was_closed() -> None:
    account("ben"), account("dora")
    away("ben", "cleo")
    account("cleo").groups.clear()
    request = opened("ann", "ben", "dora")
    closed("dora")
    before = heard("dora")
    remind(request_id=request, actor=ADA)
    assert heard("cleo") == [] and heard("dora") == before


def test_a_new_deputy_hears_once_of_what_is_open() -> None:
    account("ben")
    opened("ann", request_id="a-1"), opened("ann", request_id="a-2")
    away("ben", "cleo")
    reconcile(), reconcile()
    assert heard("cleo") == ["approval.delegated"]
    notice = Notice.objects.get(kind="approval.delegated")
    assert notice.title == "You decide for ben: 2 requests wait for you now"
    assert "approvals/a-1/" in notice.text and "approvals/a-2/" in notice.text
    opened("ann", request_id="a-3")
    assert heard("cleo") == ["approval.delegated", "approval.asked"]


def test_also_where_it_was_made_ahead() -> None:
    account("ben")
    opened()
    away("ben", "cleo", begins=timedelta(hours=2))
    taken_back = away("ben", "dora", begins=timedelta(hours=2))
    end_delegation(actor=ADA, delegation_id=taken_back.pk)
    reconcile()
    assert heard("cleo") == []
    with after(hours=3):
        reconcile(), reconcile()
        assert heard("cleo") == ["approval.delegated"] and heard("dora") == []


def test_and_of_nothing_that_they_could_not_decide() -> None:
    account("ben"), account("cleo")
    opened("cleo", "ben")  # their own
    opened("ann", "ben", "cleo")  # they are asked already
    decided(client_for(account("ben")), opened())  # over
    before = heard("cleo")
    away("ben", "cleo")
    away("ben", "cleo", policies=["standard"])
    assert heard("cleo") == before


def test_whoever_asks_is_not_asked_as_a_deputy() -> None:
    account("ben")
    away("ben", "ann")
    account("ann", "operator", "approver")
    mine = client_for(account("ann"))
    request, other = opened("ann"), opened("dan")
    rows = mine.get("/api/v1/approvals/?mine=true").json()["results"]
    assert [row["request_id"] for row in rows] == [other]
    assert decided(mine, request).status_code == 403
    assert heard("ann") == ["approval.asked"]  # of the other
    assert decided(mine, other).status_code == 200


@pytest.mark.parametrize("address", ["Élise@bücher.example", "ann+x@example.com"])
def test_nor_under_another_account_of_their_mailbox(address: str) -> None:
    account("ben")
    account("ann", "operator", email=address.replace("+x", ""))
    account("second", email=address)
    away("ben", "second")
    request = opened("ann")
    mine = client_for(account("second"))
    assert mine.get("/api/v1/approvals/?mine=true").json()["results"] == []
    assert heard("second") == [] and decided(mine, request).status_code == 403


def test_they_are_written_to_where_they_are_now() -> None:
    ben = account("ben")
    request = opened()
    User.objects.filter(pk=ben.pk).update(email="new@example.com")
    remind(request_id=request, actor=ADA)
    assert Delivery.objects.filter(user=ben).latest("pk").address == "new@example.com"


def test_a_rule_is_of_the_account_and_not_of_its_name() -> None:
    ben = account("ben")
    rule = away("ben", "cleo")
    User.objects.filter(pk=ben.pk).update(username="ben-m")

    with pytest.raises(NotAllowed):
        end_delegation(actor=actor(account("ben", email="other@example.com")), delegation_id=rule.pk)
    assert end_delegation(actor=actor(ben), delegation_id=rule.pk).ended_at

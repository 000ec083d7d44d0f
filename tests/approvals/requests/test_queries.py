"""How many questions the database is asked: to open, to decide, and to list. A count, because a time proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from approvals.models import Request, Vote
from approvals.queries.inbox import inbox_of
from tests.approvals.scenes import asked, published
from tests.orchestration.admin.visitor import person
from tests.system.contract.cast import account, says

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ("bob", "carol", "dora", "emil", "fay", "gus")
OPEN, DECIDE = 26, 26
"""On SQLite, with BEGIN, COMMIT and the two looks of `says` at the decider; PostgreSQL takes 24 at most.

Two of those that decide are the audit row of the end; one of each is news for monitoring.
"""


@pytest.fixture(autouse=True)
def people() -> None:
    for name in NAMES:
        account(name)


def policy(*users: str, how_many: str | int = "any") -> None:
    stage = {"name": "peers", "who": {"users": list(users)}, "how_many": how_many, "expire": "3d", "remind": ["4h"]}
    published({"policy": "deployment", "stages": [stage]})


def queries(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


def warm() -> None:
    """What a process reads once: the definition that every approval shows, the channel that everybody has."""
    asked()
    says("bob", "approve", asked())


def test_opening_asks_as_often_for_six_people_as_for_two() -> None:
    policy("bob", "carol")
    warm()
    few = queries(asked)
    policy(*NAMES)
    assert queries(asked) == few <= OPEN


def test_deciding_asks_as_often_among_six_people_as_among_two() -> None:
    policy("bob", "carol")
    warm()
    among_two, bob = asked(), User.objects.get(username="bob")
    few = queries(lambda: says("bob", "approve", among_two, seen=among_two.shown_hash))
    policy(*NAMES)
    among_six = asked()
    assert queries(lambda: says("bob", "approve", among_six, seen=among_six.shown_hash)) == few <= DECIDE
    assert bob.votes.count() == 3


def test_a_vote_among_many_votes_costs_no_more_than_the_second() -> None:
    policy(*NAMES, how_many="all")
    warm()
    request = asked()
    costs = [queries(lambda name=name: says(name, "approve", request)) for name in NAMES[:-1]]  # type: ignore[misc]
    assert len(set(costs[1:])) == 1 and max(costs) <= DECIDE
    assert Vote.objects.filter(request=request).count() == len(NAMES) - 1


@pytest.mark.parametrize("where", ["/admin/approvals/request/", "/api/v1/approvals/?mine=true", "/api/v1/approvals/"])
def test_a_list_asks_as_often_for_ten_requests_as_for_two(where: str) -> None:
    person("approver")
    client = Client()
    client.force_login(User.objects.get(username="approver"))
    policy("approver", "bob")
    for _ in range(2):
        asked()
    client.get(where)  # the session, the content types
    few = queries(lambda: client.get(where))
    for _ in range(8):
        asked()
    shown = client.get(where)
    assert shown.status_code == 200 and Request.objects.latest("pk").request_id in shown.content.decode()
    assert queries(lambda: client.get(where)) == few


def test_an_inbox_is_read_along_an_index_and_not_sorted() -> None:
    policy("bob", "carol")
    first, second = asked(), asked()
    bob = User.objects.get(username="bob")
    assert list(inbox_of(bob)) == [first, second]
    if connection.vendor == "sqlite":  # PostgreSQL reads a table of two rows whole
        plan = inbox_of(bob).explain()
        assert "USING INDEX seat_by_urgency" in plan and "TEMP B-TREE" not in plan

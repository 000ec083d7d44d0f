"""What a stop of the site takes from those who are asked is given back, whoever looks at the request meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from approvals.core.approval.events import Delivered
from approvals.models import Request
from approvals.requests import publish_policy, remind
from approvals.requests.state.lock import fire_due
from approvals.requests.state.locked_request import lock_request
from foundation.db import statements
from notifications.delivery.outages import gap, looked
from notifications.models import Notice, Outage, Watch
from tests.approvals.scenes import asked
from tests.system.contract.cast import account, actor
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 12, 1, 8, tzinfo=UTC)


def later(minutes: float) -> time_machine.travel:
    return time_machine.travel(START + timedelta(minutes=minutes), tick=False)


def quiet(at_the_end: str = "approve") -> Request:
    """Bob is asked at eight, and hears of it at once; his silence of an hour is a yes."""
    stage = {"name": "s", "who": {"users": ["bob"]}, "expire": "60m", "at_the_end": at_the_end}
    with later(0):
        publish_policy(data={"policy": "quiet", "stages": [stage]}, actor=ADA)
        request = asked("s", policy="quiet", actor=actor(account("olga", "operator")))
        with statements.writing():
            locked = lock_request(request.run_id)
            locked.apply(Delivered(at=START, person=locked.state.awaited[0]))
        looked()
    return request


def reminded(request: Request, minute: float) -> Request:
    with later(minute):
        remind(request_id=request.request_id, actor=actor(account("olga", "operator")))
    request.refresh_from_db()
    return request


@pytest.mark.parametrize("at_the_end", ["approve", "reject"])
def test_nobody_makes_silence_count_by_looking_at_it(at_the_end: str) -> None:
    """Nobody looks after deliveries from 8:10 on, and whoever has asked reminds: each time the stop lasts on."""
    account("bob")
    request = quiet(at_the_end)
    Watch.objects.update(seen_at=START + timedelta(minutes=10))
    for minute, end in ((61, 111), (112, 162), (163, 213)):
        request = reminded(request, minute)
        assert request.status == "pending" and request.expires_at is not None
        assert request.expires_at - START - timedelta(minutes=end) in (timedelta(), gap()), "a gap ahead at most"


def test_a_stop_that_ends_after_somebody_has_looked_is_given_back_whole() -> None:
    account("bob")
    request = quiet()
    Watch.objects.update(seen_at=START + timedelta(minutes=10))
    reminded(request, 61)
    Outage.objects.create(since=START + timedelta(minutes=10), until=START + timedelta(minutes=109))
    Watch.objects.update(seen_at=START + timedelta(minutes=112))
    request = reminded(request, 112)
    assert (request.status, request.expires_at) == ("pending", START + timedelta(minutes=159))


def test_people_hear_of_the_new_deadline_though_the_last_of_several_stops_took_nothing() -> None:
    account("bob")
    with later(0):
        stage = {"name": "s", "who": {"users": ["bob"]}, "expire": "4h business", "at_the_end": "reject"}
        publish_policy(data={"policy": "worktime", "hours": {"zone": "UTC"}, "stages": [stage]}, actor=ADA)
        request = asked("s", policy="worktime", actor=ADA)
        looked()
    for since, until in ((120, 590), (720, 900)):  # from ten in working hours, then in the evening
        Outage.objects.create(since=START + timedelta(minutes=since), until=START + timedelta(minutes=until))
    Watch.objects.update(seen_at=START + timedelta(minutes=900))
    before = Notice.objects.filter(kind="approval.reminder").count()
    with later(900), statements.writing():
        fire_due(lock_request(request.run_id), START + timedelta(minutes=900))
    assert Notice.objects.filter(kind="approval.reminder").count() == before + 1

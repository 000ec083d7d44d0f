"""Whoever leaves and comes back within the stage has their seat back; administrators are called once, after a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from approvals.external_flow import APPROVAL
from approvals.models import Request
from approvals.requests import Ask, ask, publish_policy
from approvals.requests.state.reconcile import reconcile
from foundation.clock import now
from foundation.errors import NotAllowed
from notifications.models import Delivery, Notice
from tests.approvals.later import after
from tests.system.contract.cast import account, says
from tests.system.contract.sagas import ADA
from tests.system.races.scenes import whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
OF_OPS: dict[str, Any] = {"name": "s", "who": {"groups": ["ops"]}, "expire": "2d"}
PEOPLE = ("ben", "cleo")


@pytest.fixture(autouse=True)
def administrator() -> None:
    account("root", "administrator")
    for name in PEOPLE:
        account(name, "ops")


def asked(*, number: int = 1, **more: Any) -> list[Request]:
    publish_policy(data={"policy": "p", "stages": [OF_OPS | more]}, actor=ADA)
    return [ask(given=Ask(stage="s", policy="p"), actor=ADA, engine="celery")[0] for _ in range(number)]


def rename(name: str, to: str) -> None:
    Group.objects.filter(name=name).update(name=to)


def put(group: str, *, back: bool) -> None:
    for name in PEOPLE:
        one = Group.objects.get(name=group)
        account(name).groups.add(one) if back else User.objects.get(username=name).groups.remove(one)


def close(*, back: bool) -> None:
    User.objects.filter(username__in=PEOPLE).update(is_active=back)


def made_anew(*, back: bool) -> None:
    """As a directory does that clears all groups first."""
    if not back:
        Group.objects.get(name="ops").delete()
    else:
        Group.objects.create(name="ops")
        put("ops", back=True)


FLAPS: dict[str, Callable[..., None]] = {
    "group": lambda back: put("ops", back=back),
    "role": lambda back: put("approver", back=back),
    "account": close,
    "group-made-anew": made_anew,
}


def rung(request: Request) -> Request:
    """As its engine's timer does."""
    request.refresh_from_db()
    if request.next_at and request.next_at <= now():
        APPROVAL.on_timer(request.run_id, now())
    return whole(request)


def calls() -> list[str]:
    return list(Notice.objects.filter(kind="approval.rescue").order_by("pk").values_list("title", flat=True))


def test_a_renamed_group_is_the_same_group() -> None:
    (request,) = asked()
    rename("ops", "operations")
    Group.objects.create(name="ops").user_set.add(account("eve"))
    assert reconcile() == 0 and whole(request).status == "pending"
    assert says("ben", "approve", request).status == "approved"


def test_whoever_joined_a_new_group_of_the_old_name_is_nobody() -> None:
    (request,) = asked()
    rename("ops", "operations")
    new = Group.objects.create(name="ops")
    ben = account("ben")
    ben.groups.remove(Group.objects.get(name="operations"))
    ben.groups.add(new)
    with pytest.raises(NotAllowed):
        says("ben", "approve", request)
    assert says("cleo", "approve", request).status == "approved"


@pytest.mark.parametrize("flap", FLAPS)
def test_a_short_absence_of_all_changes_nothing(flap: str) -> None:
    (request,) = asked()
    FLAPS[flap](back=False)
    assert reconcile() == 1 and whole(request).status == "pending"
    with pytest.raises(NotAllowed):
        says("ben", "approve", request)
    with after(seconds=15):
        FLAPS[flap](back=True)
        reconcile()
        assert whole(request).status == "pending" and set(request.seats.values_list("user__username", flat=True)) == {
            *PEOPLE
        }
        assert request.next_at == request.expires_at
    with after(seconds=400):
        reconcile()
        assert rung(request).status == "pending" and calls() == []
        assert says("ben", "approve", request).status == "approved"


@pytest.mark.parametrize("flap", FLAPS)
def test_they_decide_as_soon_as_they_are_back(flap: str) -> None:
    """Before anybody has looked."""
    (request,) = asked(how_many="all")
    FLAPS[flap](back=False)
    reconcile()
    FLAPS[flap](back=True)
    assert says("cleo", "approve", says("ben", "approve", request)).status == "approved"


@pytest.mark.parametrize("flap", FLAPS)
def test_a_rescue_ends_by_itself_when_they_come_back(flap: str) -> None:
    (request,) = asked()
    FLAPS[flap](back=False)
    reconcile()
    with after(seconds=299):
        assert rung(request).status == "pending"
    with after(seconds=301):
        request = rung(request)
        assert (request.status, request.words) == ("rescue", "too few people are left who may decide")
        FLAPS[flap](back=True)
        assert reconcile() >= 1
        request = whole(request)
        assert (request.status, request.words) == ("pending", "")
        assert says("ben", "approve", request).status == "approved"


def test_one_message_is_for_all_that_it_concerns() -> None:
    requests = asked(number=12)
    put("ops", back=False)
    reconcile()
    Delivery.objects.all().delete()
    with after(seconds=301):
        for request in requests[:6]:
            assert rung(request).status == "rescue"
        reconcile()  # the clocks of the others, too
        assert calls() == []
        assert {rung(request).status for request in requests} == {"rescue"}
    with after(seconds=500):
        reconcile(), reconcile()
        assert calls() == ["12 approvals need an administrator"]
        assert Delivery.objects.filter(user__username="root").count() == 1
        assert all(f"approvals/{request}/" in Notice.objects.get(kind="approval.rescue").text for request in requests)


def test_what_is_over_or_mended_by_then_is_in_no_message() -> None:
    one, other = asked(number=2)
    put("ops", back=False)
    reconcile()
    with after(seconds=301):
        rung(one), rung(other)
        put("ops", back=True)
        reconcile()
        put("ops", back=False)
        says_no = {whole(one).status, whole(other).status}
        assert says_no == {"pending"}
    with after(seconds=400):
        reconcile()
        assert calls() == []


def test_the_message_about_one_is_its_own() -> None:
    (request,) = asked()
    put("ops", back=False)
    reconcile()
    with after(seconds=301):
        rung(request)
    with after(seconds=400):
        reconcile()
        assert calls() == [f"An approval needs an administrator: {request.title}"]


def test_nobody_waits_for_an_account_that_was_deleted() -> None:
    stages = [{"name": name, "who": {"users": [name]}} for name in ("ben", "dora")]
    account("dora")
    publish_policy(data={"policy": "p", "stages": stages}, actor=ADA)
    request, _ = ask(given=Ask(stage="s", policy="p"), actor=ADA, engine="celery")
    account("dora").delete()
    assert says("ben", "approve", request).status == "rescue"


def test_without_a_grace_it_is_at_once(settings: Any) -> None:
    settings.ZEN_RESCUE_GRACE_SECONDS = 0
    (request,) = asked()
    put("ops", back=False)
    assert reconcile() == 1 and whole(request).status == "rescue"


def test_a_rename_takes_nobodys_seat() -> None:
    publish_policy(
        data={"policy": "p", "stages": [{"name": "s", "who": {"users": ["ben"], "groups": ["ops"]}}]}, actor=ADA
    )
    request, _ = ask(given=Ask(stage="s", policy="p"), actor=ADA, engine="celery")
    account("ben").groups.remove(Group.objects.get(name="ops"))
    User.objects.filter(username="ben").update(username="ben-m", email="ben-m@example.com")
    new = account("ben", "ops", email="new@example.com")
    assert reconcile() == 0
    with pytest.raises(NotAllowed):
        says("ben", "approve", request)
    assert new.pk and says("ben-m", "approve", request).status == "approved"


def test_silence_while_they_are_away_is_no_yes() -> None:
    (request,) = asked(expire="1m", at_the_end="approve")
    put("ops", back=False)
    reconcile()
    with after(seconds=61):
        assert rung(request).status == "expired"

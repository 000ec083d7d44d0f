"""Calls, approvals and notices are counted by how they ended, and only what was committed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction

from foundation import telemetry
from notifications.delivery.worker import deliver_due
from tests.approvals.scenes import asked as asked_approval
from tests.notifications.scenes import asked as told
from tests.notifications.scenes import make_due, webhook
from tests.support.peer import Peer
from tests.system.contract.cast import account, says

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _nothing_measured() -> Iterator[None]:
    telemetry.take()
    yield
    telemetry.take()


def test_notices_and_the_calls_that_carry_them(peer: Peer) -> None:
    webhook(peer)
    peer.say_once("/ops", 500)
    peer.say("/ops", 200)
    told(channels=["webhook://ops"])
    for _ in range(2):
        make_due()
        deliver_due()
    found = telemetry.take()
    kinds = {dict(labels)["status"]: dict(labels)["kind"] for name, labels in found if name == "zen_notices_total"}
    assert kinds == {"again": "webhook", "sent": "webhook"}
    calls = {dict(labels)["status_class"] for name, labels in found if name == "zen_outgoing_requests_total"}
    assert calls == {"5xx", "2xx"}
    assert found["zen_outgoing_request_duration_seconds", ()].count == 2


def test_an_approval_is_counted_once_it_has_ended_and_that_is_committed() -> None:
    account("bob", "approver")
    request = asked_approval(description="?", approvers=["bob"])
    with transaction.atomic():
        says("bob", "approve", request)
        transaction.set_rollback(True)
    assert not any(name.startswith("zen_approval") for name, _ in telemetry.take())
    says("bob", "approve", request)
    found = telemetry.take()
    assert found["zen_approvals_ended_total", (("status", "approved"),)].count == 1
    assert found["zen_approval_decision_seconds", ()].count == 1

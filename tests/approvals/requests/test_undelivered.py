"""Which decisions a run has not been told: those whose own message waits."""

from __future__ import annotations

import pytest

from approvals.queries.requests import is_delivered, undelivered
from foundation.clock import now
from orchestration.models import Message
from orchestration.runs import external
from tests.system.contract.cast import says
from tests.system.races.scenes import opened, waiting_run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_a_run_that_asked_twice_may_have_been_told_of_one() -> None:
    run = waiting_run()
    told, untold = opened(run), opened(run)
    for request in (told, untold):
        says("bob", "approve", request)
    Message.objects.filter(run=run).update(delivered_at=now())
    assert not undelivered().exists()
    Message.objects.filter(message_id__startswith=f"look:{untold.run_id}:").update(delivered_at=None)
    assert list(undelivered()) == [untold]
    for request in (told, untold):
        request.refresh_from_db()
    assert (is_delivered(told), is_delivered(untold)) == (True, False)


def test_a_number_is_not_the_beginning_of_another() -> None:
    run = waiting_run()
    request = opened(run)
    says("bob", "approve", request)
    Message.objects.filter(run=run).update(message_id=f"look:{request.run_id}7:1", delivered_at=None)
    assert not undelivered().exists()


def test_an_engine_that_breaks_after_the_commit_undoes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raises is logged; the decision stands and its message waits for the relay."""

    def broken(message: Message) -> None:
        raise RuntimeError("the engine broke")

    run = waiting_run()
    request = opened(run)
    monkeypatch.setattr(external, "deliver", broken)
    says("bob", "approve", request)
    request.refresh_from_db()
    assert request.status == "approved" and list(undelivered()) == [request]

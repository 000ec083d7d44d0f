"""What the page says a yes and a no would do."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.models import Request
from approvals.queries.impact import Consequences, consequences
from approvals.queries.requests import plan_of_request, state_of, undelivered
from orchestration.models import Message, Run
from tests.approvals.admin import scenes
from tests.support.peer import Peer
from tests.system.contract.cast import account, says
from tests.system.contract.hosts import until
from tests.system.contract.sagas import start, step


@pytest.fixture(autouse=True)
def people(transactional_db: None) -> None:
    scenes.cast()
    account("approver")


def foreseen(request: Request) -> Consequences:
    return consequences(request, plan_of_request(request), state_of(request))


def gated(peer: Peer, *before: dict[str, Any], after: list[dict[str, Any]], **more: Any) -> tuple[Run, Request]:
    ask = {"approvers": ["bob"], "description": "Go on?"}
    run = start(peer, "celery", *before, {**step("deploy"), "approval": ask, **more}, *after)
    until(run, lambda r: r.status == "waiting" and Request.objects.filter(about=r.workflow_id).exists())
    return run, Request.objects.get(about=run.workflow_id)


def test_a_request_alone_tells_whoever_asked() -> None:
    scenes.chain_of_two()
    found = foreseen(scenes.asked(approvers=(), policy="two"))
    assert found.yes[0] == "This stage needs 2 more approvals."
    assert found.yes[1] == "Then stage 'leads' is asked: carol."
    assert found.yes[2] == "olga is told. No run of Zen waits for it." and found.no == ("olga is told.",)
    assert found.silence == "If nobody decides in time, it counts as a no."


def test_a_step_that_is_not_critical_is_left_out(engine: str, peer: Peer) -> None:
    run, request = gated(peer, after=[step("announce", ["deploy"])], critical=False)
    assert foreseen(request).no == (f"Run {run} goes on without step 'deploy', which is not critical.",)
    assert foreseen(request).yes[1] == "After it comes step 'announce'."


def test_behind_the_point_of_no_return_nothing_is_undone(engine: str, peer: Peer) -> None:
    run, request = gated(peer, step("pay", pivot=True), after=[])
    (no,) = foreseen(request).no
    assert no == f"Step 'pay' was the point of no return: run {run} undoes nothing, and is held."
    says("bob", "reject", request, "no")
    assert until(run).status == "held", "as it was said"


def test_what_has_no_undo_stays(engine: str, peer: Peer) -> None:
    run, request = gated(peer, step("build"), step("mail", ["build"], undo=False), after=[], dependencies=["mail"])
    assert foreseen(request).no == (
        f"Run {run} rolls back and undoes, in this order: build.",
        "Has no undo and stays as it is: mail.",
    )
    says("bob", "reject", request, "no")
    assert until(run).status == "rolled_back" and peer.things.keys() == {"/things/mail"}, "as it was said"
    request.refresh_from_db()
    assert "has ended already" in foreseen(request).no[0]
    Message.objects.filter(message_id__startswith="look:").update(delivered_at=None)
    assert list(undelivered()) == [request]

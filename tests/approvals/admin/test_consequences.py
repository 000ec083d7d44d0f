"""What the page says a yes and a no would do."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.admin.facts import facts_in_words
from approvals.models import Request
from approvals.queries.impact import Consequences, consequences
from approvals.queries.requests import plan_of_request, state_of, undelivered
from orchestration.inquiries import Inquiry, inquiry_service
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


def asked_at_work(run: Run, stage: str) -> Request:
    given: dict[str, Any] = {"key": "k", "stage": stage, "title": "What now?", "lead": "It asks.", "asker": "agent one"}
    inquiry_service().put(Inquiry(run=run, step_id="works", iteration=1, attempt=1, **given))
    return Request.objects.get(stage=stage)


def test_an_agent_at_work_is_told_no_and_goes_on_while_silence_ends_its_step(engine: str, peer: Peer) -> None:
    run, _ = gated(peer, step("works"), after=[])
    for stage, yes, no in (
        ("agent-permission", "The agent may do this", "The agent is told that it may not"),
        ("agent-question", "The agent is given the answer", "The agent is told that it gets no answer"),
    ):
        found = foreseen(asked_at_work(run, stage))
        assert found.yes == (f"{yes}, and goes on with step 'works' of run {run}.",)
        assert found.no == (f"{no}, and goes on with step 'works' of run {run}.",)
        assert found.silence.startswith(f"If nobody decides in time, step 'works' of run {run} fails. Run {run} rolls")


def test_what_becomes_of_a_failed_task_is_chosen_with_the_yes(engine: str, peer: Peer) -> None:
    run, _ = gated(peer, step("works"), after=[])
    found = foreseen(asked_at_work(run, "task-failed"))
    assert found.yes == (
        f"What is chosen is done with step 'works' of run {run}.", "To choose 'end' leads to the same as a no.",
    )  # fmt: skip
    assert found.no[0] == f"Step 'works' of run {run} fails." and found.no[1].startswith(f"Run {run} rolls back")
    assert found.silence == "If nobody decides in time, it counts as a no."


def test_a_no_in_a_child_tells_what_its_parents_undo(engine: str, peer: Peer) -> None:
    ask = {"approvers": ["bob"], "description": "Go on?"}
    child = {"saga_id": "part", "steps": [{**step("deploy"), "approval": ask}]}
    action = {"type": "saga", "definition": child, "context": {"base": "{base}"}}
    part = {"step_id": "part", "dependencies": ["pay"], "forward_action": action}
    run = start(peer, "celery", step("pay"), part)
    until(run, lambda r: r.status == "waiting" and Request.objects.filter(stage="deploy").exists())
    found = foreseen(Request.objects.get(stage="deploy"))
    assert found.no[-2:] != found.no[:2] and f"Run {run} rolls back and undoes, in this order: pay." in found.no


def test_facts_are_told_in_words() -> None:
    facts = {
        "saga": "project.shop inline:7b8287c6cfe2",
        "step": "gate-1",
        "rework": "plan",
        "reworked": 2,
        "inquiry": "f",
    }
    assert facts_in_words(facts) == {
        "saga": "project.shop, a definition of this run alone", "step": "gate-1",
        "if changes are asked for": "step 'plan' is done again, told of them; it was 2 times before",
    }  # fmt: skip
    assert facts_in_words({"saga": "order v3", "commit": "4fd2a1c"}) == {"saga": "order v3", "commit": "4fd2a1c"}

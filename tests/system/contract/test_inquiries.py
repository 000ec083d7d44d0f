"""Steps that ask people in the middle of their work, on every engine: parked meanwhile, and performed again at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from approvals.models import Request
from foundation.errors import BadInput, NotAllowed
from foundation.identity.actor import CONSOLE_ROLES, Actor
from orchestration.actions.base import Call, Result
from orchestration.core.enums import Cause, Outcome, Verb
from orchestration.core.inquiry import InquiryField, Reply, ReplyStatus
from orchestration.execution.action_table import ACTIONS
from orchestration.inquiries import Inquiry, inquiry_service
from orchestration.models import Run
from orchestration.runs import act, start_run
from orchestration.runs.queries import run_view
from orchestration.runs.waiting_reasons import why
from tests.support.peer import Peer
from tests.system.contract.cast import account, says
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step

COLOURS = InquiryField(name="answer", label="Which colour?", kind="choice", choices=("red", "blue"))
ASKS = {"step_id": "asks", "forward_action": {"type": "task", "handler": "asks"}, "retry_count": 0}
CAUSES = {
    ReplyStatus.EXPIRED: Cause.TIMED_OUT,
    ReplyStatus.REFUSED: Cause.REJECTED,
    ReplyStatus.TAKEN_BACK: Cause.CANCELLED,
}
HOSTILE = "Which colour?\n# Approve now\n[click](https://evil.example)\u202e<img src=x>"


def inquiry(call: Call, **more: Any) -> Inquiry:
    run = Run.objects.get(workflow_id=call.workflow_id)
    given: dict[str, Any] = {
        "key": "which-colour", "stage": "agent-question", "title": "A colour", "lead": "The agent asks:",
        "text": HOSTILE, "fields": (COLOURS,), "asker": "agent bob-1",
    }  # fmt: skip
    about = {"run": run, "step_id": call.step_id, "iteration": call.iteration, "attempt": call.attempt}
    return Inquiry(**{**given, **about, **more})


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Reply]]:
    """Makes the task `asks` ask people; the replies that its attempts saw."""

    def install(**more: Any) -> list[Reply]:
        seen: list[Reply] = []

        def asks(call: Call) -> Result:
            reply = inquiry_service().put(inquiry(call, **more))
            seen.append(reply)
            if reply.status is ReplyStatus.OPEN:
                return Result(outcome=Outcome.PARKED, error=f"waits for approval '{reply.request_id}'")
            if reply.status is ReplyStatus.ANSWERED:
                return Result(outcome=Outcome.SUCCEEDED, output=dict(reply.answers))
            return Result(outcome=Outcome.FAILED, error=reply.why, cause=CAUSES[reply.status])

        monkeypatch.setitem(ACTIONS, "task", asks)
        return seen

    account("bob")
    account("carol")
    return install


def asked(run: Run) -> Request:
    until(run, lambda r: r.finished_at is not None or (r.status == "waiting" and requests(run).exists()))
    assert not run.finished_at, run_view(run)["error"]
    found: Request = requests(run).get()
    return found


def requests(run: Run) -> Any:
    return Request.objects.filter(about=run.workflow_id)


def test_an_answer_makes_the_step_go_on_at_once(engine: str, peer: Peer, asking: Callable[..., list[Reply]]) -> None:
    seen = asking()
    run = start(peer, engine, step("a"), ASKS, step("b"))
    request = asked(run)
    assert "waits for" in " ".join(why(run)) and request.request_id in " ".join(why(run))
    says("bob", "approve", request, "my favourite", answers={"answer": "blue"})
    view = run_view(until(run))
    assert (view["status"], view["warnings"]) == ("completed", []) and view["steps"][1]["output"] == {"answer": "blue"}
    assert [reply.status for reply in seen] == [ReplyStatus.OPEN, ReplyStatus.ANSWERED], "asked once, read once"
    assert seen[1].comment == "my favourite" and seen[1].by and seen[1].at is not None
    rows = run.commands.filter(kind="run_action", step_id="asks").order_by("attempt")
    assert [row.outcome for row in rows] == ["parked", "succeeded"], "no retry was there to be used up"


def test_a_no_and_an_expiry_end_the_step_for_good(engine: str, peer: Peer, asking: Callable[..., list[Reply]]) -> None:
    asking()
    run = start(peer, engine, step("a"), ASKS)
    says("carol", "reject", asked(run), "none of them")
    view = run_view(until(run))
    assert (view["status"], view["cause"]) == ("rolled_back", "rejected")
    asking(timeout_seconds=1)
    run = start(peer, engine, step("c"), ASKS)
    view = run_view(until(run))
    assert (view["status"], view["cause"]) == ("rolled_back", "timed_out") and requests(run).get().status == "expired"


def test_an_abort_takes_the_question_back(engine: str, peer: Peer, asking: Callable[..., list[Reply]]) -> None:
    asking()
    run = start(peer, engine, step("a"), ASKS)
    request = asked(run)
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    assert until(run).status == "rolled_back" and peer.things == {}
    until(request.run, lambda r: r.finished_at is not None)
    request.refresh_from_db()
    assert request.status == "cancelled"


@pytest.mark.parametrize("engine", ["celery"], indirect=True)
def test_what_an_agent_wrote_is_shown_as_plain_text(
    engine: str, peer: Peer, asking: Callable[..., list[Reply]]
) -> None:
    asking()
    content = asked(start(peer, engine, ASKS)).content
    assert content["description"] == (
        "The agent asks:\n\n    Which colour?\n    # Approve now\n    [click](https://evil.example)<img src=x>"
    )
    asking(text="x" * 1_000_000, title="y" * 1_000_000)
    content = asked(start(peer, engine, ASKS)).content
    assert len(content["description"]) < 9_000 and len(content["title"]) <= 200


@pytest.mark.parametrize("engine", ["celery"], indirect=True)
def test_a_question_takes_one_of_its_answers_and_no_other_word(
    engine: str, peer: Peer, asking: Callable[..., list[Reply]]
) -> None:
    asking()
    request = asked(start(peer, engine, ASKS))
    for given in ({}, {"answer": "green"}):
        with pytest.raises(BadInput, match="Which colour"):
            says("bob", "approve", request, answers=given)
    with pytest.raises(BadInput, match="nothing that could be changed"):
        says("bob", "request-changes", request, "another one")


@pytest.mark.parametrize("engine", ["celery"], indirect=True)
def test_the_person_who_started_it_may_answer_and_an_agent_and_its_owner_may_not(
    engine: str, asking: Callable[..., list[Reply]]
) -> None:
    asking()
    dora, robot = account("dora"), account("robot")

    def begun(actor: Actor) -> Request:
        given = {"saga_id": "contract", "steps": [ASKS]}
        return asked(start_run(definition=given, actor=actor, engine=engine)[0])

    own = Actor(name="dora", door="admin", roles=CONSOLE_ROLES, user_id=dora.pk)
    says("dora", "approve", begun(own), answers={"answer": "red"})
    of_robot = Actor(
        name="robot", door="api", roles=CONSOLE_ROLES, user_id=robot.pk, owner="dora", owner_id=dora.pk
    )  # fmt: skip
    request = begun(of_robot)
    for name in ("robot", "dora"):
        with pytest.raises(NotAllowed):
            says(name, "approve", request, answers={"answer": "red"})
    says("bob", "approve", request, answers={"answer": "red"})


@pytest.mark.parametrize("engine", ["celery"], indirect=True)
def test_an_answer_is_found_again_in_the_family_of_the_run(
    engine: str, peer: Peer, asking: Callable[..., list[Reply]]
) -> None:
    asking()
    child = {"saga_id": "child", "steps": [ASKS]}
    above = {"step_id": "above", "forward_action": {"type": "saga", "definition": child}}
    run = start(peer, engine, above)
    until(run, lambda r: Request.objects.exists())
    says("bob", "approve", Request.objects.get(), answers={"answer": "red"})
    assert until(run).status == "completed"
    found = inquiry_service().find(run, "which-colour")
    assert found is not None and found.text("answer") == "red"
    below = run.children.get()
    assert inquiry_service().find(run, "which-colour", (below, "asks", 1)) is not None
    assert inquiry_service().find(run, "which-colour", (run, "asks", 1)) is None
    assert inquiry_service().find(run, "another") is None
    stranger = start(peer, engine, step("z"))
    assert inquiry_service().find(stranger, "which-colour") is None, "another run's answers are its own"

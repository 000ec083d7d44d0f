"""An agent proposes what cannot be taken back; a yes does it, once, in the transaction of the yes, or says why not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from approvals.evidence.receipt import receipt
from approvals.evidence.verify_receipt import problems
from approvals.models import Request
from approvals.queries.view import request_view
from approvals.requests import propose, resubmit, revoke
from approvals.requests.open_request import shortened
from foundation.clock import now
from foundation.errors import BadInput, NotAllowed, WrongState, ZenError
from foundation.identity.actor import Actor
from foundation.identity.authentication import actor_of
from foundation.models import ApiToken, AuditEvent
from orchestration.core.enums import Verb
from orchestration.models import Message, Run
from orchestration.runs import act, get_run, start_run
from orchestration.runs.relay import relay
from tests.approvals.requests.test_gates_asked_anew import worked
from tests.approvals.scenes import asked, published
from tests.support.waiting import PATIENCE_SECONDS
from tests.system.contract.cast import account, actor, says

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

WAIT = {"type": "wait", "seconds": 600}
STEPS = [
    {"step_id": "first", "forward_action": {"type": "wait", "seconds": 0.001}},
    {"step_id": "second", "dependencies": ["first"], "forward_action": WAIT},
]


@pytest.fixture
def bot() -> Actor:
    """An operator's agent; dora decides, and its owner alice may not."""
    found: Any = account("bot", "operator")
    found.api_token, _ = ApiToken.issue(found, agent=True, owner=account("alice", "approver"))
    return actor_of(found, door="mcp")


@pytest.fixture
def run() -> Run:
    return begun("o-1")


def begun(name: str, steps: list[dict[str, Any]] | None = None) -> Run:
    definition = {"saga_id": "order", "steps": steps or STEPS}
    run, _ = start_run(
        definition=definition, actor=actor(account("bob", "operator")), engine="celery", workflow_id=name
    )
    return run


def proposed(bot: Actor, verb: Verb = Verb.ABORT, **more: Any) -> Request:
    return propose(workflow_id="o-1", verb=verb, actor=bot, **more)[0]


def acts(request: Request) -> dict[str, Any]:
    request.refresh_from_db()
    found: dict[str, Any] = request_view(request)["act"]
    return found


def test_a_yes_does_it_as_the_act_of_whoever_said_it(bot: Actor, run: Run) -> None:
    request = proposed(bot, note="it is stuck")
    assert (request.stage, request.about, str(request.policy)) == ("agent-act", "o-1", "standard")
    assert get_run("o-1").status in ("pending", "running", "waiting") and not Message.objects.filter(run=run).exists()
    assert acts(request)["state"] == "proposed"
    with pytest.raises(NotAllowed):
        says("alice", "approve", request)
    says("dora", "approve", request)
    worked()
    assert get_run("o-1").status == "rolled_back"
    row = AuditEvent.objects.get(workflow_id="o-1", action="run.abort")
    assert (row.actor, row.note) == ("dora", f"it is stuck (proposed by bot, approved by {request})")
    assert acts(request) == {
        "verb": "abort", "workflow_id": "o-1", "step_id": "", "answer": "", "state": "done", "why": "",
    }  # fmt: skip
    with pytest.raises(WrongState, match="the yes was used"):
        revoke(request_id=str(request), actor=actor(User.objects.get(username="dora")))
    assert problems(receipt(request)) == []


def test_an_agent_does_it_at_no_door_itself(bot: Actor, run: Run, settings: Settings) -> None:
    with pytest.raises(NotAllowed, match="people decide it"):
        act(workflow_id="o-1", verb=Verb.ABORT, actor=bot)
    with pytest.raises(NotAllowed, match="this token may not force-stop runs"):
        act(workflow_id="o-1", verb=Verb.FORCE_STOP, actor=bot)
    act(workflow_id="o-1", verb=Verb.HOLD, actor=bot)
    settings.ZEN_MCP_PROPOSE = False
    act(workflow_id="o-1", verb=Verb.ABORT, actor=bot)
    worked()
    assert get_run("o-1").status == "rolled_back"
    with pytest.raises(NotAllowed, match="this token may not force-stop runs"):
        act(workflow_id="o-1", verb=Verb.FORCE_STOP, actor=bot)


def test_a_no_and_a_withdrawal_do_nothing(bot: Actor, run: Run) -> None:
    says("dora", "reject", first := proposed(bot))
    assert acts(first)["state"] == "not done" and not Message.objects.filter(run=run).exists()
    second = proposed(bot)
    assert second.request_id == "o-1.agent-act.abort-2"


def test_a_run_has_one_open_for_each_verb(bot: Actor, run: Run) -> None:
    request = proposed(bot)
    assert proposed(bot, note="once more").pk == request.pk
    worked()
    act(workflow_id="o-1", verb=Verb.HOLD, actor=bot)
    rerun = proposed(bot, Verb.RERUN, step_id="first")
    assert rerun.pk != request.pk
    with pytest.raises(WrongState, match=r"rerun first is proposed already, in 'o-1\.agent-act\.rerun'"):
        proposed(bot, Verb.RERUN, step_id="second")


@pytest.mark.parametrize("number", range(3))
def test_two_agents_at_once_ask_once(bot: Actor, run: Run, number: int) -> None:
    found: list[str] = []
    barrier = threading.Barrier(2)

    def ask() -> None:
        try:
            barrier.wait(PATIENCE_SECONDS)
            found.append(str(proposed(bot)))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert len(found) == 2 and len(set(found)) == 1 and Request.objects.count() == 1


def test_what_would_be_refused_now_is_not_proposed(bot: Actor, run: Run) -> None:
    for verb, more, message in (
        (Verb.SKIP, {"step_id": "none"}, "there is no step 'none'"),
        (Verb.SKIP, {}, "skip needs a step"),
        (Verb.RESOLVE, {"step_id": "first", "answer": "accept-loss"}, "resolve needs a note"),
    ):
        with pytest.raises(BadInput, match=message):
            proposed(bot, verb, **more)
    with pytest.raises(WrongState):
        proposed(bot, Verb.RESOLVE, step_id="first", answer="accept-loss", note="x")
    with pytest.raises(NotAllowed):
        proposed(Actor(name="v", door="mcp", roles=frozenset({"viewer"}), agent=True))
    assert not Request.objects.exists()


def test_whose_agent_is_the_only_one_who_decides_is_not_asked(run: Run, settings: Settings) -> None:
    Group.objects.get(name="approver").user_set.clear()
    only: Any = account("olga", "operator", "approver")
    only.api_token, _ = ApiToken.issue(only, agent=True)
    with pytest.raises(BadInput, match="it has no member but the requester"):
        propose(workflow_id="o-1", verb=Verb.ABORT, actor=actor_of(only))
    with pytest.raises(BadInput, match="there is no policy 'none'"):
        propose(workflow_id="o-1", verb=Verb.ABORT, actor=actor_of(only), policy="none")
    assert not Request.objects.exists()


def test_a_run_that_has_ended_meanwhile_is_left_alone_and_the_request_says_why(bot: Actor, run: Run) -> None:
    request = proposed(bot)
    act(workflow_id="o-1", verb=Verb.ABORT, actor=actor(account("bob")))
    worked()
    says("dora", "approve", request)
    assert acts(request)["state"] == "not done" and "rolled_back" in acts(request)["why"]
    assert request.status == "approved" and request.words.startswith("not done: ") and request.spent_at is None
    row = AuditEvent.objects.get(workflow_id=str(request), action="approval.act-refused")
    assert row.data["act"] == request.facts["agent_act"]
    assert AuditEvent.objects.filter(workflow_id="o-1", action="run.abort").count() == 1
    assert problems(receipt(request)) == []


def handled(params: dict[str, Any], context: Any) -> dict[str, Any]:
    """A task that is done at once."""
    return {}


@pytest.fixture
def undone(settings: Settings) -> None:
    """The run o-1, whose first step has an undo."""
    settings.ZEN_TASKS = {"handled": f"{__name__}.handled"}
    task = {"type": "task", "handler": "handled"}
    begun("o-1", [{"step_id": "first", "forward_action": task, "compensation_action": task}, STEPS[1]])


def test_what_was_not_shown_is_not_done_and_is_shown_anew(bot: Actor, undone: None) -> None:
    request = proposed(bot)
    worked()
    says("dora", "approve", request)
    assert (
        acts(request)["state"] == "not done"
        and "it would stop second, too, which was not shown" in acts(request)["why"]
    )
    again = proposed(bot)
    assert again.pk != request.pk and again.content["action"]["would"]["waves"] == [["first"]]
    says("dora", "approve", again)
    worked()
    assert acts(again)["state"] == "done" and get_run("o-1").status == "rolled_back"


def test_a_run_that_has_moved_on_is_asked_about_anew_in_the_same_request(bot: Actor, undone: None) -> None:
    account("eve", "approver")
    published({"policy": "both", "stages": [{"name": "a", "who": {"users": ["dora", "eve"]}, "how_many": "all"}]})
    request = proposed(bot, policy="both")
    says("dora", "approve", request)
    worked()
    assert proposed(bot, policy="both").pk == request.pk
    request.refresh_from_db()
    assert (request.round, request.status) == (2, "pending")
    says("eve", "approve", request)
    assert acts(request)["state"] == "proposed"
    says("dora", "approve", request)
    worked()
    assert acts(request)["state"] == "done" and get_run("o-1").status == "rolled_back"


def test_what_is_accepted_is_not_lost_when_the_process_dies_at_once(
    bot: Actor, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = proposed(bot)
    monkeypatch.setattr("orchestration.runs.acts.acting.deliver", lambda message: "")  # what came after the commit
    says("dora", "approve", request)
    assert acts(request)["state"] == "under way" and get_run("o-1").finished_at is None
    relay()
    worked()
    assert acts(request)["state"] == "done" and get_run("o-1").status == "rolled_back"
    assert Message.objects.filter(run=run, message_id=f"agent-act:{request.pk}").count() == 1


def test_a_vote_that_is_not_stored_does_nothing(bot: Actor, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    request = proposed(bot)

    def died(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("approvals.requests.state.locked_request._write_seats", died)
    with pytest.raises(KeyboardInterrupt):
        says("dora", "approve", request)
    monkeypatch.undo()
    assert acts(request)["state"] == "proposed" and not Message.objects.filter(run=run).exists()


def test_a_rule_or_silence_does_nothing_since_it_is_nobodys_act(bot: Actor, run: Run) -> None:
    body = {"policy": "ruled", "auto_approve": "true", "stages": [{"name": "a", "who": {"users": ["dora"]}}]}
    published(body)
    request = proposed(bot, policy="ruled")
    assert request.status == "approved" and acts(request)["why"] == "nobody has said yes to it"
    assert not Message.objects.filter(run=run).exists()


def test_neither_has_the_right_any_more(bot: Actor, run: Run) -> None:
    request = proposed(bot)
    User.objects.get(username="bot").groups.clear()
    says("dora", "approve", request)
    assert "may act on runs any more" in acts(request)["why"] and not Message.objects.filter(run=run).exists()


def test_what_is_proposed_is_not_put_in_other_words_and_a_stranger_takes_no_handle(bot: Actor, run: Run) -> None:
    taken = asked("agent-act", about="o-1", request_id="o-1.agent-act.abort", description="mine")
    request = proposed(bot)
    assert request.pk != taken.pk and request.request_id.startswith("o-1.agent-act.abort~")
    with pytest.raises(WrongState, match="what an agent proposes comes from its run"):
        resubmit(request_id=str(request), actor=bot, description="harmless")
    says("dora", "approve", taken)
    assert not Message.objects.filter(run=run).exists() and acts(taken) is None


def test_who_had_a_step_run_again_by_a_proposal_decides_nothing_that_it_asks(bot: Actor) -> None:
    account("carol", "approver")
    begun("o-1", [{"step_id": "gate", "forward_action": {"type": "approval", "approvers": ["alice", "carol"]}}])
    worked()
    before = says("carol", "approve", Request.objects.get())
    worked()
    says("dora", "approve", proposed(bot, Verb.RERUN, step_id="gate"))
    worked()
    anew = Request.objects.exclude(stage="agent-act").exclude(pk=before.pk).get()
    with pytest.raises(ZenError, match="cannot decide it"):
        says("alice", "approve", anew)
    assert says("carol", "approve", anew).status == "approved"


def test_a_run_that_moves_on_between_the_yes_and_its_delivery_refuses_and_the_request_says_so(
    bot: Actor, run: Run, monkeypatch: pytest.MonkeyPatch, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    request = proposed(bot)
    with monkeypatch.context() as lost:
        lost.setattr("orchestration.runs.acts.acting.deliver", lambda message: "")
        says("dora", "approve", request)
        Message.objects.update(retry_at=now() + timedelta(minutes=1))  # its turn comes later
    start = Message.objects.get(run=run)
    aborted = start_of_another_abort(run)
    assert aborted.refusal == ""
    Message.objects.filter(pk=start.pk).update(retry_at=None)
    worked()
    found = acts(request)
    assert found["state"] == "not done" and "rolled_back" in found["why"]
    client.force_login(User.objects.create_superuser("root", "root@example.com"))
    page = client.get(reverse("admin:approvals_request_change", args=[request.pk])).content.decode()
    call_command("approval", "show", str(request))
    assert f"what was proposed is not done: {found['why']}" in capsys.readouterr().out
    assert "not done: " in page and "A yes does it, as your act." in page


def start_of_another_abort(run: Run) -> Message:
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=actor(User.objects.get(username="bob")))
    worked()
    return Message.objects.filter(run=run).order_by("pk")[1]


@pytest.mark.parametrize("number", range(3))
def test_a_yes_and_a_persons_abort_at_once_are_one_abort(bot: Actor, run: Run, number: int) -> None:
    request = proposed(bot)
    barrier, wrong = threading.Barrier(2), []

    def at_once(do: Callable[[], object]) -> None:
        try:
            barrier.wait(PATIENCE_SECONDS)
            do()
        except WrongState:
            pass
        except Exception as error:  # noqa: BLE001 - told below
            wrong.append(error)
        finally:
            connection.close()

    bob = actor(User.objects.get(username="bob"))
    acts_of = (
        lambda: says("dora", "approve", request),
        lambda: act(workflow_id="o-1", verb=Verb.ABORT, actor=bob),
    )
    threads = [threading.Thread(target=at_once, args=(do,)) for do in acts_of]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    worked()
    assert wrong == [] and get_run("o-1").status == "rolled_back"
    assert acts(request)["state"] in ("done", "not done") and request.status == "approved"


def test_the_longest_handle_is_no_reason_not_to_ask(bot: Actor) -> None:
    name = "o" * 200
    begun(name)
    first, _ = propose(workflow_id=name, verb=Verb.ABORT, actor=bot)
    says("dora", "reject", first)
    asked("agent-act", about=name, request_id=shortened(f"{name}.agent-act.abort-2"))
    second, _ = propose(workflow_id=name, verb=Verb.ABORT, actor=bot)
    assert len(first.request_id) == len(second.request_id) == 200

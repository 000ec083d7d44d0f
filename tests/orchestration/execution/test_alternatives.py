"""Which alternative undoes a step when several people give one."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from foundation.errors import WrongState
from foundation.models import AuditEvent
from orchestration.core.enums import Verb
from orchestration.models import Command, Message, Run
from orchestration.runs import act
from orchestration.runs.acts import acting
from orchestration.runs.relay import relay
from orchestration.workers.celery.in_process import hosted
from tests.support.peer import Peer, serving
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def given(run: Run, path: str, **more: Any) -> Run:
    action = {"type": "api_call", "method": "DELETE", "url": f"http://{path}"}
    return act(
        workflow_id=run.workflow_id, verb=Verb.RESOLVE, step_id="a", answer="alternative", action=action, note="n",
        actor=ADA, **more,
    )  # fmt: skip


def in_need(peer: Peer, settings: Settings) -> Run:
    """A run whose undo of step a was refused. Nothing performs anything when it comes back."""
    settings.ZEN_OUTBOUND_ALLOW = (peer.address,)
    peer.behave("/things/b", 422)
    peer.behave("/undo/a", 403)
    undo = {"type": "api_call", "method": "DELETE", "url": "{base}/undo/a"}
    with hosted():
        run = until(start(peer, "celery", step("a", compensation_action=undo), step("b")))
    assert run.status == "needs_attention"
    return run


@pytest.mark.parametrize("first", ["retry", "done-by-hand", "accept-loss", "alternative"])
def test_one_that_comes_while_another_answer_is_under_way_is_never_performed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """An alternative was given, was done, and failed. What is answered next is stored, and not heard yet."""
    with serving() as peer:
        run = in_need(peer, settings)
        peer.behave("/undo/first", 403)
        with hosted():
            given(run, f"{peer.address}/undo/first")
            until(run)
        with monkeypatch.context() as waiting:
            waiting.setattr(acting, "deliver", lambda message: "")
            act(
                workflow_id=run.workflow_id, verb=Verb.RESOLVE, step_id="a", answer=first, note="n", actor=ADA,
                action={"type": "api_call", "url": f"{peer.url}/undo/third"} if first == "alternative" else None,
            )  # fmt: skip
            with pytest.raises(WrongState, match="just been given"):
                given(run, f"{peer.address}/undo/second")
        with hosted():
            relay()
            until(run)
    assert "/undo/second" not in peer.methods("DELETE")
    assert AuditEvent.objects.filter(action="run.resolve").count() == 2


def test_one_that_the_run_has_not_heard_of_is_not_replaced(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as peer:
        run = in_need(peer, settings)
    monkeypatch.setattr(acting, "deliver", lambda message: "")  # its engine has not come to it
    given(run, "x/first", request_id="r1")
    given(run, "x/first", request_id="r1")
    with pytest.raises(WrongState, match="just been given"):
        given(run, "x/second", request_id="r2")
    row = Command.objects.get(run=run, kind="alternative")
    assert isinstance(row.undo_action, dict)
    assert (row.undo_action["url"], row.detail["number"]) == ("http://x/first", 1)
    assert AuditEvent.objects.filter(action="run.resolve").count() == 1
    Message.objects.filter(message_id="r1").update(refusal="it came too late")
    given(run, "x/second", request_id="r2")
    row.refresh_from_db()
    assert isinstance(row.undo_action, dict)
    assert (row.undo_action["url"], row.detail["number"]) == ("http://x/second", 2)

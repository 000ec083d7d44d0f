"""Which alternative undoes a step when several people give one."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from orchestration.core.words import Verb
from orchestration.engines.celery.local import hosted
from orchestration.errors import WrongState
from orchestration.models import AuditEvent, Command, Message, Run
from orchestration.services import act, acts
from tests.contract.hosts import until
from tests.contract.sagas import ADA, start, step
from tests.peer import serving

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def given(run: Run, path: str, **more: Any) -> Run:
    action = {"type": "api_call", "method": "DELETE", "url": f"http://{path}"}
    return act(
        workflow_id=run.workflow_id, verb=Verb.RESOLVE, step_id="a", answer="alternative", action=action, note="n",
        actor=ADA, **more,
    )  # fmt: skip


def test_one_that_the_run_has_not_heard_of_is_not_replaced(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as peer, hosted():
        settings.ZEN_OUTBOUND_ALLOW = (peer.address,)
        peer.behave("/things/b", 422)
        peer.behave("/undo/a", 403)
        undo = {"type": "api_call", "method": "DELETE", "url": "{base}/undo/a"}
        run = until(start(peer, "celery", step("a", compensation_action=undo), step("b")))
    assert run.status == "needs_attention"
    monkeypatch.setattr(acts, "deliver", lambda message: "")  # its engine has not come to it
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

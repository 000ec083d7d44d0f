"""What a run gave up it asks anew when it goes on after all, and a yes opens the gate for what it was given to."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from approvals import gate
from approvals.models import Request
from foundation.clock import now
from foundation.db import statements
from orchestration.core.enums import Outcome, Purpose, Verb
from orchestration.core.saga.events import ActionEnded
from orchestration.engines.celery.advance import advance
from orchestration.models import Command, Run, Worker
from orchestration.ports import GateClosed, GateOpen
from orchestration.runs import act, start_run
from orchestration.runs.queries import run_view
from orchestration.runs.relay import relay
from orchestration.workers.celery.worker import work
from tests.system.contract.cast import says
from tests.system.contract.sagas import ADA
from tests.system.races.scenes import waiting_run
from tests.system.races.test_grants import asked, gate_request

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
PIVOT = {
    "step_id": "pivot", "pivot": True, "dependencies": [],
    "forward_action": {"type": "api_call", "method": "POST", "url": "http://localhost:1/x"},
}  # fmt: skip
GATE = {"step_id": "gate", "dependencies": [], "forward_action": {"type": "approval", "approvers": ["bob"]}}


def worked() -> None:
    until = now() + timedelta(hours=1)
    Worker.objects.get_or_create(name="w", defaults={"engine": "celery", "started_at": now(), "lease_until": until})
    work("w")
    relay()
    work("w")


@pytest.fixture
def beside_a_pivot() -> tuple[Run, Command]:
    """A run that waits at its gate, and its pivot's attempt, which is in somebody's hand."""
    run, _ = start_run(definition={"saga_id": "x", "steps": [PIVOT, GATE]}, actor=ADA, engine="celery")
    Command.objects.filter(step_id="pivot").update(status=Command.RUNNING, worker="another")
    worked()
    return run, Command.objects.get(step_id="pivot")


def test_a_gate_that_was_given_up_beside_a_pivot_is_asked_anew(beside_a_pivot: tuple[Run, Command]) -> None:
    run, pivot = beside_a_pivot
    first = Request.objects.get()
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    worked()
    with statements.writing():
        advance(run.pk, ActionEnded(
            at=now(), step_id="pivot", purpose=Purpose.FORWARD, iteration=pivot.iteration, attempt=pivot.attempt,
            outcome=Outcome.SUCCEEDED,
        ))  # fmt: skip
    act(workflow_id=run.workflow_id, verb=Verb.RELEASE, actor=ADA)
    worked()
    first.refresh_from_db()
    second = Request.objects.exclude(pk=first.pk).get()
    assert (first.status, second.status) == ("cancelled", "pending")
    says("bob", "approve", second)
    worked()
    assert run_view(Run.objects.get(pk=run.pk))["status"] == "completed"


def test_a_request_that_a_person_has_aborted_is_a_no(beside_a_pivot: tuple[Run, Command]) -> None:
    run, _ = beside_a_pivot
    act(workflow_id=str(Request.objects.get()), verb=Verb.ABORT, actor=ADA)
    worked()
    assert Request.objects.get().status == "cancelled"
    assert run.steps.get(step_id="gate").status == "failed"


def test_a_yes_read_before_it_was_asked_anew_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first = gate_request(waiting_run())
    second = dataclasses.replace(first, ask={**first.ask, "context": {"changed": True}})
    early = says("bob", "approve", asked(first))
    assert isinstance(gate.evaluate(second), GateClosed)
    says("bob", "approve", early)
    with monkeypatch.context() as slow:
        slow.setattr(gate, "_opened", lambda *_: (early, False))
        answer = gate.evaluate(first)
    assert isinstance(answer, GateClosed) and "replaced by a new request" in answer.why
    assert isinstance(gate.evaluate(second), GateOpen)

"""What a run gave up it asks anew when it goes on after all, and a yes opens the gate for what it was given to."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from approvals import gate
from approvals.models import Request
from orchestration import sql
from orchestration.clock import now
from orchestration.core.events import ActionEnded
from orchestration.core.words import Outcome, Purpose, Verb
from orchestration.engines.celery.advance import advance
from orchestration.engines.celery.work import work
from orchestration.gates import Open, Shut
from orchestration.models import Command, Run, Worker
from orchestration.relay import relay
from orchestration.selectors import run_view
from orchestration.services import act, start_run
from tests.approvals.races.scenes import waiting_run
from tests.approvals.races.test_grants import asked, knock
from tests.contract.cast import says
from tests.contract.sagas import ADA

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
    with sql.writing():
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
    first = knock(waiting_run())
    second = dataclasses.replace(first, ask={**first.ask, "context": {"changed": True}})
    early = says("bob", "approve", asked(first))
    assert isinstance(gate.look(second), Shut)
    says("bob", "approve", early)
    with monkeypatch.context() as slow:
        slow.setattr(gate, "_opened", lambda *_: (early, False))
        answer = gate.look(first)
    assert isinstance(answer, Shut) and "asked anew" in answer.why
    assert isinstance(gate.look(second), Open)

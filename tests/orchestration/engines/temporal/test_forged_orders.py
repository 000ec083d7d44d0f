"""Nobody who may only write to the Temporal namespace walks past an approval, or acts on a run."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django import Settings
from temporalio.client import WorkflowFailureError

from approvals.models import Request
from approvals.requests import Ask, ask
from foundation.models import AuditEvent
from orchestration.core.enums import Outcome, Purpose, Verb
from orchestration.core.saga.codec import COMMAND, EVENT
from orchestration.core.saga.commands import RunAction
from orchestration.core.saga.events import ActionEnded, ForceStopRequested, RunStarted
from orchestration.core.saga.flow import decide
from orchestration.core.saga.state_change import PAGE, state_change_of
from orchestration.engines.temporal import seals
from orchestration.engines.temporal.dto import PERFORM, RECORD, TIMER_DUE, Perform, Record, TimerDue
from orchestration.engines.temporal.troubles import report
from orchestration.ledger import store
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.models import Command, Run
from orchestration.runs import act, start_run
from orchestration.workers.temporal import saga_workflow as interpreter
from orchestration.workers.temporal.worker import hosted
from tests.approvals.scenes import published
from tests.orchestration.engines.temporal.forging import (
    answer_in_its_place,
    order,
    plan_as_json,
    refusals,
    start_anew,
)
from tests.support.waiting import wait_until
from tests.system.contract.cast import account, says
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FORCE_STOP = ForceStopRequested(at=NOON, by="admin")
NOT_OURS = "no workflow of this site"
RUN = {"type": "script", "script": "true"}


@pytest.fixture
def gated(own_queue: str) -> Run:
    """Its payment waits for bob's yes."""
    account("bob")
    steps = [
        {"step_id": "gate", "forward_action": {"type": "approval", "approvers": ["bob"]}},
        {"step_id": "pay", "dependencies": ["gate"], "forward_action": RUN},
    ]
    return start_run(definition={"saga_id": "gated", "steps": steps}, actor=ADA, engine="temporal")[0]


def without_the_gate(run: Run) -> dict[str, object]:
    plan = plan_as_json(run)
    plan["steps"]["pay"]["dependencies"], plan["steps"]["gate"]["dependents"] = [], []
    return plan


def waits_for_bob(run: Run) -> None:
    until(run, lambda run: run.status == "waiting" and Request.objects.filter(status="pending").exists())


def standing(run: Run) -> tuple[object, ...]:
    """All that an act or an attempt would change."""
    run.refresh_from_db()
    attempts = run.commands.filter(kind="run_action").values_list("step_id", "attempt", "tries", "outcome")
    return run.status, run.version, run.head, run.events.count(), list(attempts), AuditEvent.objects.count()


def forced_end(run: Run) -> Record:
    before = store.load_state(run)
    after, _ = decide(compiled_plan(run), before, FORCE_STOP)
    page = state_change_of(before, FORCE_STOP, after, first_seq=store.next_seq(run))
    return Record(run_pk=run.pk, pages=[PAGE.dump_json(page).decode()], cancels=[], finished=True)


def attempt(run: Run, step_id: str) -> Perform:
    command = RunAction(step_id=step_id, purpose=Purpose.FORWARD, iteration=1, attempt=1)
    return Perform(run_pk=run.pk, command=COMMAND.dump_json(command).decode(), pages=[])


def test_a_start_with_another_plan_walks_past_no_approval(gated: Run) -> None:
    with hosted():
        waits_for_bob(gated)
        before = standing(gated)
        start_anew(gated, event=RunStarted(at=NOON), plan=without_the_gate(gated), next_seq=100)
        wait_until(lambda: NOT_OURS in refusals(gated), "a refusal")
        assert standing(gated) == before


@pytest.mark.parametrize("told", ["as of before", "as of today"])
def test_a_start_whose_first_event_is_an_act_does_nothing(run: Run, told: str) -> None:
    with hosted():
        until(run, lambda run: run.status == "waiting")
        before = standing(run)
        more: dict[str, Any] = {"rules": run.rules} if told == "as of today" else {}
        start_anew(run, event=FORCE_STOP, next_seq=100, **more)
        wait_until(lambda: "no process of this site has started this" in report(run).trouble, "the trouble")
        assert standing(run) == before


def test_a_run_from_before_there_were_seals_goes_on_to_its_end(run: Run) -> None:
    quick = {"saga_id": "quick", "steps": [{"step_id": "a", "forward_action": RUN}]}
    old = start_run(definition=quick, actor=ADA, engine="temporal")[0]
    Run.objects.filter(pk=old.pk).update(rules=2)
    start_anew(old, event=RunStarted(at=NOON))
    with hosted():
        assert until(old).status == "completed"


def test_a_page_that_another_workflow_orders_is_not_written(run: Run) -> None:
    with hosted():
        until(run, lambda run: run.status == "waiting")
        before, forged = standing(run), forced_end(run)
        for one in (
            forged,
            dataclasses.replace(forged, seal="0" * 64),
            seals.ordered("another", forged),
            dataclasses.replace(
                seals.ordered(run.workflow_id, dataclasses.replace(forged, pages=[])), pages=forged.pages
            ),
        ):
            with pytest.raises(WorkflowFailureError) as caught:
                order(run.workflow_id, RECORD, one)
            assert NOT_OURS in str(caught.value.cause.__cause__)
        assert standing(run) == before
        order(run.workflow_id, RECORD, seals.ordered(run.workflow_id, forged))  # it is the seal that was missing
        assert standing(run)[0] == "force_stopped"


def test_an_attempt_that_another_workflow_orders_is_not_made(gated: Run) -> None:
    with hosted():
        waits_for_bob(gated)
        before, forged = standing(gated), attempt(gated, "pay")
        for one in (forged, seals.ordered(gated.workflow_id, attempt(gated, "gate"))):
            given = dataclasses.replace(forged, seal=one.seal)
            with pytest.raises(WorkflowFailureError) as caught:
                order(gated.workflow_id, PERFORM, given)
            assert NOT_OURS in str(caught.value.cause.__cause__)
        assert standing(gated) == before


def test_what_an_ended_run_had_ordered_means_nothing_any_more(gated: Run) -> None:
    """Its orders can be read in the namespace, and sent once more with their seals."""
    with hosted():
        waits_for_bob(gated)
        act(workflow_id=gated.workflow_id, verb=Verb.ABORT, actor=ADA, note="n")
        until(gated)
        until(Request.objects.get().run)  # it ends a moment after its run, and audits that
        before = standing(gated)
        given = dataclasses.replace(attempt(gated, "pay"), heard=gated.heard)
        with pytest.raises(WorkflowFailureError) as caught:
            order(gated.workflow_id, PERFORM, seals.ordered(gated.workflow_id, given))
        assert "has ended" in str(caught.value.cause.__cause__)
        assert standing(gated) == before


def answered(own_queue: str) -> tuple[Run, str]:
    """A run whose first step has a queue of its own, and the answer that somebody makes up for it."""
    steps = [
        {"step_id": "check", "queue": "agents", "forward_action": RUN},
        {"step_id": "pay", "dependencies": ["check"], "forward_action": RUN},
    ]
    run = start_run(definition={"saga_id": "answered", "steps": steps}, actor=ADA, engine="temporal")[0]
    ended = ActionEnded(
        at=NOON, step_id="check", purpose=Purpose.FORWARD, iteration=1, attempt=1, outcome=Outcome.SUCCEEDED
    )
    return run, EVENT.dump_json(ended).decode()


def test_an_answer_in_a_workers_place_opens_nothing_and_a_worker_of_ours_is_asked_again(own_queue: str) -> None:
    run, answer = answered(own_queue)
    with hosted():
        answer_in_its_place(f"{own_queue}.agents", answer)
        assert not run.steps.filter(status="succeeded").exists()
        assert not Command.objects.filter(run=run, step_id="pay").exists()
    with hosted(queues={"default": 4, "agents": 2}):
        until(run)
    assert run.status == "completed"
    assert set(run.commands.filter(kind="run_action").values_list("step_id", "tries")) == {("check", 1), ("pay", 1)}


def test_where_nobody_else_answers_the_run_stands_still_and_says_so(
    own_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreter, "MOST_ORDERS", 2)
    run, answer = answered(own_queue)
    with hosted():
        for _ in range(2):
            answer_in_its_place(f"{own_queue}.agents", answer)
        wait_until(lambda: "no process of this site has answered attempt 1" in report(run).trouble, "the trouble")
        assert not run.steps.filter(status="succeeded").exists()
        assert not Command.objects.filter(run=run, step_id="pay").exists()


def test_no_time_passes_for_a_request_because_somebody_says_so(own_queue: str) -> None:
    account("bob")
    stage = {"name": "s", "who": {"users": ["bob"]}, "expire": "4h", "at_the_end": "approve"}
    published({"policy": "p", "stages": [stage]})
    with hosted():
        request = ask(given=Ask(stage="s", policy="p"), actor=ADA, engine="temporal")[0]
        given = TimerDue(run_pk=request.run_id, kind="approval", at="2099-01-01T00:00:00+00:00")
        following = order(request.request_id, TIMER_DUE, given)
        request.refresh_from_db()
        assert request.status == "pending" and not following["ended"]
        assert request.next_at is not None and datetime.fromisoformat(following["due"]) >= request.next_at


def test_a_run_goes_on_under_a_new_key_while_the_old_one_counts(gated: Run, settings: Settings) -> None:
    with hosted():
        waits_for_bob(gated)
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "a new key, which is long enough for the checks"
    says("bob", "approve", Request.objects.get())
    with hosted():
        wait_until(lambda: "ZEN_SECRET_KEY" in report(gated).trouble, "the trouble")
    assert not gated.steps.filter(step_id="pay", status="succeeded").exists()
    settings.SECRET_KEY_FALLBACKS = [old]
    with hosted():
        assert until(gated).status == "completed"

"""A workflow that was begun again as it was begun once, seal and all, does not walk past what people did since."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest
from django.db import connection as db
from pytest_django import Settings

from approvals.models import Request
from foundation.clock import now
from foundation.errors import Unreachable
from orchestration.core.enums import Verb
from orchestration.core.saga.events import HoldRequested
from orchestration.engines.temporal.dto import Taken
from orchestration.engines.temporal.executions import delivered, is_of_earlier_state
from orchestration.ledger.run_end import post
from orchestration.models import Run
from orchestration.runs import act, start_run
from orchestration.runs.delivery import deliver
from orchestration.runs.relay import relay
from orchestration.workers.temporal.worker import hosted
from tests.orchestration.engines.temporal.forging import first_start, refusals, start_again, swallowing
from tests.orchestration.engines.temporal.test_forged_orders import RUN, gated, standing, waits_for_bob
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.contract.cast import says
from tests.system.contract.hosts import ended_after, until
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["gated"]
NOT_HEARD = "has not heard all acts"


def hold(run: Run) -> None:
    act(workflow_id=run.workflow_id, verb=Verb.HOLD, actor=ADA, note="n")
    until(run, lambda run: run.status == "held")


def release(run: Run) -> None:
    act(workflow_id=run.workflow_id, verb=Verb.RELEASE, actor=ADA, note="n")
    until(run, lambda run: run.status != "held")


def test_what_was_held_stays_held(gated: Run) -> None:
    with hosted():
        waits_for_bob(gated)
        start = first_start(gated)
        hold(gated)
        says("bob", "approve", Request.objects.get())
        until(gated, lambda run: run.events.filter(kind="step.look_again").exists())
        before = standing(gated)
        start_again(gated, start)
        wait_until(lambda: NOT_HEARD in refusals(gated), lambda: refusals(gated))
        assert standing(gated) == before


def test_a_start_that_is_sent_again_before_any_act_goes_on(gated: Run) -> None:
    """It has forgotten nothing: what was done is answered from the rows."""
    with hosted():
        waits_for_bob(gated)
        start_again(gated, first_start(gated))
        says("bob", "approve", Request.objects.get())
        assert until(gated).status == "completed"
    assert gated.commands.filter(step_id="pay").count() == 1


def was_done(run: Run, times: int) -> bool:
    return run.commands.filter(step_id="a", outcome="succeeded").count() == times


def test_an_act_that_comes_with_the_workflows_first_task_finds_a_run(run: Run) -> None:
    """It was taken before the run had begun, which then had nothing to do and completed."""

    def tell() -> None:
        try:
            hold(run)
        finally:
            db.close()

    with ThreadPoolExecutor(1) as thread:
        told = thread.submit(tell)
        time.sleep(0.5)  # the server has it now, most probably; it has to go well in any case
        with hosted():
            told.result(PATIENCE_SECONDS)
            release(run)
            until(run, lambda run: run.status == "waiting")
    assert run.events.get(seq=1).kind == "run.started"


@contextmanager
def agents() -> Iterator[None]:
    with hosted(queues={"agents": 2}):
        yield


@pytest.mark.parametrize("told", ["at its start", "never"])
def test_what_was_ordered_before_an_act_is_done_after_it(own_queue: str, told: str) -> None:
    """`never`: whoever started the workflow died before the row knew its execution."""
    steps = [{"step_id": "a", "queue": "agents", "forward_action": RUN}]
    run = start_run(definition={"saga_id": "late", "steps": steps}, actor=ADA, engine="temporal")[0]
    run.refresh_from_db()
    assert run.execution
    if told == "never":
        Run.objects.filter(pk=run.pk).update(execution="")
    with hosted():
        until(run, lambda run: run.status == "running")
        hold(run)
        release(run)
        assert run.heard == 2
        with agents():
            assert until(run).status == "completed"


def test_a_run_that_continued_as_new_between_acts_goes_on(own_queue: str, settings: Settings) -> None:
    settings.TEMPORAL_HISTORY_LIMIT = 20
    steps = [{"step_id": f"s{n}", "dependencies": [f"s{n - 1}"] if n else [], "forward_action": RUN} for n in range(8)]
    steps.append({"step_id": "wait", "dependencies": ["s7"], "forward_action": {"type": "wait", "seconds": 3600}})
    run = start_run(definition={"saga_id": "parts", "steps": steps}, actor=ADA, engine="temporal")[0]
    run.refresh_from_db()
    first = run.execution
    with hosted():
        hold(run)
        release(run)
        until(run, lambda run: run.steps.filter(step_id="s7", status="succeeded").exists())
        hold(run)
        assert run.execution != first and run.heard == 3
        release(run)
        act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA, note="n")
        assert until(run).status == "rolled_back" and run.heard == 5


def test_a_run_that_is_made_to_go_on_after_its_end_has_heard_all(own_queue: str) -> None:
    steps = [{"step_id": "a", "forward_action": RUN}]
    run = start_run(definition={"saga_id": "again", "steps": steps}, actor=ADA, engine="temporal")[0]
    with hosted():
        assert until(run).status == "completed"
        first, start = run.execution, first_start(run)
        for count in (1, 2):
            act(workflow_id=run.workflow_id, verb=Verb.RERUN, actor=ADA, step_id="a", note="n")
            ended_after(run, partial(was_done, times=count + 1))
            assert run.heard == count and run.execution != first
        before = standing(run)
        start_again(run, start)
        wait_until(lambda: NOT_HEARD in refusals(run), lambda: refusals(run))
        assert standing(run) == before


def test_what_takes_an_act_in_the_place_of_the_runs_workflow_is_not_believed(run: Run) -> None:
    with hosted():
        until(run, lambda run: run.status == "waiting")
        with swallowing(run):
            message = post(run, HoldRequested(at=now(), by="ada"))
            with pytest.raises(Unreachable, match="not a worker of this site"):
                deliver(message)
            relay()
            assert run.messages.get().delivered_at is None


def test_two_messages_may_be_noted_in_another_order_than_they_were_taken_in(run: Run) -> None:
    first, second = (post(run, HoldRequested(at=now(), by="ada")) for _ in range(2))
    delivered(second, "", Taken(execution="e2", heard=2))
    delivered(first, "", Taken(execution="e1", heard=1))
    run.refresh_from_db()
    assert (run.execution, run.heard) == ("e2", 2)
    assert not run.messages.filter(delivered_at=None).exists()


@pytest.mark.parametrize(
    ("execution", "heard", "earlier"), [("e2", 0, False), ("e1", 2, False), ("e3", 3, False), ("e1", 1, True)]
)
def test_which_executions_are_of_an_earlier_state(execution: str, heard: int, earlier: bool) -> None:
    assert is_of_earlier_state(Run(execution="e2", heard=2), execution, heard) is earlier

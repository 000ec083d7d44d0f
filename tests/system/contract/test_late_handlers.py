"""A handler that goes on after its timeout: nothing is begun or undone beside it, on every engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app, shared_task
from pytest_django import Settings

from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act, start_run
from orchestration.runs.queries import run_view
from orchestration.runs.waiting_reasons import why
from tests.support.waiting import wait_until
from tests.system.contract import handlers
from tests.system.contract.handlers import Held
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA


@pytest.fixture
def held(settings: Settings) -> Iterator[Held]:
    """Handlers wait for its `go`; it comes at the latest when the test is over, before the engine's workers end."""
    settings.ZEN_TASKS = handlers.TASKS
    settings.ZEN_HANDLER_GRACE_SECONDS = 0.2
    found = handlers.fresh()
    yield found
    found.go.set()


def task(name: str, handler: str = "slow", **more: Any) -> dict[str, Any]:
    """Its undo gets what `slow` gave back, however late."""
    made = {"made": "{made}"} if handler == "slow" else {}
    return {
        "step_id": name,
        "forward_action": {"type": "task", "handler": handler},
        "compensation_action": {"type": "task", "handler": "undo", **made},
        "timeout_seconds": 60 if handler == "quick" else 2,
        "backoff_seconds": 0.01,
        "backoff_limit_seconds": 0.01,
    } | more


def begin(engine: str, *steps: dict[str, Any], **more: Any) -> Run:
    run, _ = start_run(definition={"saga_id": "late", "steps": list(steps), **more}, actor=ADA, engine=engine)
    return run


def needs_attention(run: Run) -> bool:
    return run.status == "needs_attention"


def kinds(run: Run) -> list[str]:
    return list(run.events.values_list("kind", flat=True))


@pytest.fixture
def engine_first(engine: str, held: Held) -> str:
    """The engine, ended after its handlers were let go."""
    return engine


def test_it_is_neither_begun_again_nor_undone_before_it_has_ended(engine_first: str, held: Held) -> None:
    """The report's example: a timeout of a second, two retries, and a handler that acts later."""
    run = until(begin(engine_first, task("a", retry_count=2)), needs_attention)
    (line,) = [line for line in why(run) if "still runs" in line]
    row = run.commands.get(step_id="a")
    assert line.startswith(f"step 'a': the handler of attempt 1 still runs in worker {row.worker} since 2")
    assert "told to stop at 2" in line and "nothing is retried or undone beside it" in line
    assert held.begun == ["a"] and not held.acted and row.status == "running" and not run.finished_at
    assert "step.handler_overdue" in kinds(run)
    held.go.set()
    view = run_view(until(run, lambda run: run.finished_at is not None))
    assert view["status"] == "completed" and view["steps"][0]["attempts"] == 2 and held.most == 1
    assert held.acted == ["do a", "do a"] and len(set(held.keys)) == 1
    ends = [event.data.get("error", "") for event in run.events.filter(kind="step.attempt_ended")]
    assert "timed out after 2 s, and its handler ended" in ends[0]


def test_without_retries_it_is_undone_after_it_has_acted(engine_first: str, held: Held) -> None:
    run = until(begin(engine_first, task("a", retry_count=0)), needs_attention)
    assert held.begun == ["a"] and not held.acted
    held.go.set()
    until(run, lambda run: run.finished_at is not None)
    assert run.status == "rolled_back" and held.acted == ["do a", "undo a a"]


def test_an_abort_waits_for_it(engine_first: str, held: Held) -> None:
    run = begin(engine_first, task("a", timeout_seconds=60))
    until(run, lambda run: held.begun == ["a"])
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    until(run, lambda run: any("told to stop at" in line for line in why(run)))
    assert run.status == "compensating" and not held.acted
    held.go.set()
    until(run, lambda run: run.finished_at is not None)
    assert run.status == "rolled_back" and held.acted == ["do a", "undo a a"]


def test_an_abort_of_an_overdue_run_waits_for_it_too(engine_first: str, held: Held) -> None:
    run = until(begin(engine_first, task("a", retry_count=2)), needs_attention)
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    until(run, lambda run: run.head["aborting"])
    assert run.status == "needs_attention" and not held.acted
    held.go.set()
    until(run, lambda run: run.finished_at is not None)
    assert run.status == "rolled_back" and held.acted == ["do a", "undo a a"]


def test_an_undo_is_not_begun_again_beside_itself(engine_first: str, held: Held) -> None:
    slow_undo = {"type": "task", "handler": "slow"}
    first = task("a", "quick", timeout_seconds=2, compensation_action=slow_undo)
    run = until(begin(engine_first, first, task("b", "refuse")), needs_attention)
    (line,) = [line for line in why(run) if "still runs" in line]
    assert line.startswith("the undo of step 'a': the handler of attempt 1 still runs in worker")
    assert held.begun == ["a"] and held.acted == ["quick a"] and "undo.handler_overdue" in kinds(run)
    held.go.set()
    until(run, lambda run: run.finished_at is not None or (needs_attention(run) and not held.now))
    assert held.most == 1 and "do a" in held.acted


def test_one_that_obeys_ends_at_once_and_has_nothing_to_undo(engine_first: str, held: Held, settings: Settings) -> None:
    settings.ZEN_HANDLER_GRACE_SECONDS = 300
    run = until(begin(engine_first, task("a", "obedient", retry_count=2)))
    view = run_view(run)
    assert (view["status"], view["steps"][0]["status"], view["steps"][0]["attempts"]) == ("rolled_back", "failed", 1)
    assert held.told == ["a"] and not held.acted and "step.handler_overdue" not in kinds(run)


def test_a_probe_asks_when_it_has_ended(engine_first: str, held: Held) -> None:
    probe = {"type": "task", "handler": "quick"}
    run = until(begin(engine_first, task("a", probe_action=probe)), needs_attention)
    assert held.begun == ["a"] and not held.acted
    held.go.set()
    until(run, lambda run: run.finished_at is not None)
    assert run.status == "completed" and held.acted == ["do a", "quick a"]


def test_a_probe_that_goes_on_lets_nothing_begin(engine_first: str, held: Held) -> None:
    """The action raises, so that nobody knows whether it was done."""
    step = task("a", "raising", probe_action={"type": "task", "handler": "slow"}, retry_count=0)
    run = until(begin(engine_first, step), needs_attention)
    assert held.acted == ["raise a"] and held.begun == ["a"]
    held.go.set()
    until(run, lambda run: run.finished_at is not None)
    assert run.status == "rolled_back" and held.acted[-1].startswith("undo a") and held.most == 1


def test_a_celery_task_of_the_site_is_waited_for_too(engine_first: str, held: Held) -> None:
    def charge() -> Any:
        held.begin("site")
        held.go.wait()
        held.acted.append("do site")
        held.end()

    charge.__module__ = "shop.tasks"
    shared_task(name="shop.charge")(charge)
    current_app.finalize()
    try:
        run = until(begin(engine_first, task("a", "shop.charge", retry_count=0)), needs_attention)
        assert held.begun == ["site"] and not held.acted
        held.go.set()
        until(run, lambda run: run.finished_at is not None)
        assert run.status == "rolled_back" and held.acted == ["do site", "undo a ?"]
    finally:
        current_app.tasks.unregister("shop.charge")


def test_the_other_steps_go_on_and_the_run_needs_nobody_any_more_when_it_ends(engine_first: str, held: Held) -> None:
    late = task("a", dependencies=[], critical=False)
    run = until(begin(engine_first, late, task("b", "quick", dependencies=[])), needs_attention)
    wait_until(lambda: "quick b" in held.acted, lambda: str(held.acted))
    held.go.set()
    until(run, lambda run: run.finished_at is not None)
    assert run.status == "completed" and held.acted == ["quick b", "do a"] and held.most == 1


def test_one_that_is_force_stopped_is_said_to_stand(engine_first: str, held: Held) -> None:
    run = until(begin(engine_first, task("a", retry_count=2)), needs_attention)
    act(workflow_id=run.workflow_id, verb=Verb.FORCE_STOP, actor=ADA, note="enough")
    view = run_view(until(run, lambda run: run.finished_at is not None))
    assert (view["status"], view["steps"][0]["status"]) == ("force_stopped", "unknown")
    assert any("a" in warning for warning in view["warnings"]) and held.begun == ["a"] and not held.acted

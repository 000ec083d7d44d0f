"""ZEN_WHEN_TEMPORAL_IS_DOWN, against an address where nobody listens and one where somebody does."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings
from temporalio.service import RPCError, RPCStatusCode

from foundation.clock import now
from foundation.errors import Unreachable
from foundation.identity.actor import CONSOLE_ROLES, Actor
from orchestration.core.saga.events import LookAgain
from orchestration.engines.registry import ENGINES, choose
from orchestration.engines.temporal import connection
from orchestration.engines.temporal.engine import TemporalEngine
from orchestration.ledger.run_end import post
from orchestration.models import Run
from orchestration.runs import act, start_run
from orchestration.runs.delivery import deliver
from orchestration.workers.temporal.worker import hosted
from tests.system.contract.hosts import until
from zen_project.embedded.ports import free_port

ADA = Actor(name="ada", door="python", roles=CONSOLE_ROLES)
SAGA: dict[str, Any] = {
    "saga_id": "s",
    "steps": [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 0.01}}],
}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nobody(settings: Settings) -> None:
    settings.ZEN_ENGINE = "auto"
    settings.TEMPORAL_ADDRESS = f"127.0.0.1:{free_port()}"


def start(engine: str = "") -> Run:
    return start_run(definition=SAGA, actor=ADA, engine=engine)[0]


def test_fallback_takes_the_other_engine(settings: Settings) -> None:
    settings.ZEN_WHEN_TEMPORAL_IS_DOWN = "fallback"
    assert start().engine == "celery"


def test_fallback_never_replaces_an_engine_that_was_named(settings: Settings) -> None:
    settings.ZEN_WHEN_TEMPORAL_IS_DOWN = "fallback"
    with pytest.raises(Unreachable, match="cannot be used"):
        start("temporal")
    assert not Run.objects.exists()


def test_a_server_without_our_namespace_is_down(settings: Settings, temporal_dev_server: str) -> None:
    settings.ZEN_WHEN_TEMPORAL_IS_DOWN = "fallback"
    settings.TEMPORAL_ADDRESS, settings.TEMPORAL_NAMESPACE = temporal_dev_server, "nowhere"
    assert start().engine == "celery"
    with pytest.raises(Unreachable, match="no namespace 'nowhere'"):
        start("temporal")


def test_refuse_starts_nothing(settings: Settings) -> None:
    settings.ZEN_WHEN_TEMPORAL_IS_DOWN = "refuse"
    with pytest.raises(Unreachable) as caught:
        start()
    assert caught.value.remedy and not Run.objects.exists()


def test_queue_keeps_the_run_and_its_acts_until_the_server_is_there(
    settings: Settings, temporal_dev_server: str
) -> None:
    settings.ZEN_WHEN_TEMPORAL_IS_DOWN = "queue"
    run = start()
    assert (run.engine, run.handed_over, run.status) == ("temporal", False, "pending")
    settings.TEMPORAL_ADDRESS, settings.TEMPORAL_TASK_QUEUE = temporal_dev_server, "queued"
    with hosted():
        assert until(run).status == "completed"


def test_an_act_waits_for_the_server_too(settings: Settings, temporal_dev_server: str) -> None:
    settings.ZEN_WHEN_TEMPORAL_IS_DOWN = "queue"
    there, gone = temporal_dev_server, settings.TEMPORAL_ADDRESS
    slow = {"saga_id": "slow", "steps": [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 3600}}]}
    settings.TEMPORAL_ADDRESS, settings.TEMPORAL_TASK_QUEUE = there, "acts"
    with hosted():
        run = start_run(definition=slow, actor=ADA, engine="temporal")[0]
        until(run, lambda run: run.status == "waiting")
    settings.TEMPORAL_ADDRESS = gone
    act(workflow_id=run.workflow_id, verb="hold", actor=ADA, note="n")  # type: ignore[arg-type]
    run.refresh_from_db()
    assert run.status == "waiting"
    settings.TEMPORAL_ADDRESS = there
    with hosted():
        assert until(run).status == "held"
        act(workflow_id=run.workflow_id, verb="abort", actor=ADA, note="n")  # type: ignore[arg-type]
        until(run, lambda run: run.finished_at is not None)


def test_one_lost_question_is_asked_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestration.engines.base import Reach
    from orchestration.engines.temporal import engine

    answers = [Reach(ok=False, why="lost"), Reach(ok=True)]
    monkeypatch.setattr(engine, "_ask", lambda: answers.pop(0))
    assert TemporalEngine().reach().ok


def test_auto_without_an_address_is_celery(settings: Settings) -> None:
    settings.TEMPORAL_ADDRESS = ""
    assert choose().name == "celery"


@pytest.mark.parametrize("status", ["UNKNOWN", "PERMISSION_DENIED", "UNAUTHENTICATED", "UNIMPLEMENTED", "INTERNAL"])
def test_a_server_that_serves_nobody_is_out_of_reach(status: str) -> None:
    async def refused() -> None:
        raise RPCError("no luck", RPCStatusCode[status], b"")

    with pytest.raises(Unreachable, match="no luck") as caught:
        connection.call(refused())
    assert caught.value.remedy


def test_what_is_wrong_with_one_call_says_nothing_of_the_server() -> None:
    async def refused() -> None:
        raise RPCError("too large", RPCStatusCode.INVALID_ARGUMENT, b"")

    with pytest.raises(RPCError, match="too large"):
        connection.call(refused())


def test_a_missing_namespace_is_no_ended_run(settings: Settings, temporal_dev_server: str) -> None:
    settings.ZEN_WHEN_TEMPORAL_IS_DOWN = "queue"
    run = start()
    settings.TEMPORAL_ADDRESS, settings.TEMPORAL_NAMESPACE = temporal_dev_server, "nowhere"
    with pytest.raises(Unreachable, match="no namespace 'nowhere'") as caught:
        deliver(post(run, LookAgain(at=now(), step_id="a", iteration=1)))
    assert "namespace create nowhere" in caught.value.remedy
    assert run.messages.get().delivered_at is None
    with pytest.raises(Unreachable, match="no namespace 'nowhere'"):
        ENGINES["temporal"].take(run)

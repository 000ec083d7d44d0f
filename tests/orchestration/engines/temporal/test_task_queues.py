"""A step's queue is a task queue of its own; limits and next tries of activities, on the real server."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings
from temporalio.api.history.v1 import ActivityTaskScheduledEventAttributes

from foundation.errors import Unreachable
from orchestration.console.waiting import _worker_for, watch
from orchestration.engines.temporal import connection, dto
from orchestration.ledger.live_workers import failing, queues_served, unserved
from orchestration.models import Command, Run, Worker
from orchestration.runs.queries import run_view
from orchestration.runs.waiting_reasons import why
from orchestration.workers.celery.worker import MOST_TRIES
from orchestration.workers.temporal import activities, heartbeats, worker
from orchestration.workers.temporal.worker import beside, hosted
from tests.support.peer import Peer, serving
from tests.support.waiting import wait_until
from tests.system.contract.hosts import until
from tests.system.contract.sagas import start, step

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def peer(settings: Settings, temporal_dev_server: str, transactional_db: None) -> Iterator[Peer]:
    settings.TEMPORAL_ADDRESS, settings.TEMPORAL_TASK_QUEUE = temporal_dev_server, f"queues-{uuid.uuid4().hex[:6]}"
    with serving() as running:
        settings.ZEN_OUTBOUND_ALLOW = (running.address,)
        yield running


def scheduled(run: Run) -> dict[str, ActivityTaskScheduledEventAttributes]:
    """By step."""

    async def history() -> Any:
        return await (await connection.client()).get_workflow_handle(run.workflow_id).fetch_history()

    name = "activity_task_scheduled_event_attributes"
    found = [getattr(event, name) for event in connection.call(history()).events if event.HasField(name)]
    return {one.activity_id.partition(":")[0]: one for one in found}


def test_each_queue_has_slots_of_its_own(peer: Peer, settings: Settings) -> None:
    """Its one slot is taken: the others of the queue wait, and the default queue does not."""
    peer.delay["/things/slow"] = 6.0
    with hosted(queues={"default": 2, "agents": 1}):
        run = start(peer, "temporal", step("slow", [], queue="agents"), step("next", ["slow"], queue="agents"))
        until(run, lambda _: peer.at_once > 0)
        other = start(peer, "temporal", step("a"), step("b"))
        until(other)
        assert other.status == "completed" and "/things/slow" not in peer.things
        assert queues_served("temporal") == {"default": 2, "agents": 1}
        until(run)
    assert run.status == "completed" and peer.methods("POST").count("/things/slow") == 1
    assert scheduled(run)["slow"].task_queue.name == f"{settings.TEMPORAL_TASK_QUEUE}.agents"
    assert set(Command.objects.filter(run=run).values_list("queue", flat=True)) == {"agents"}
    assert not Worker.objects.filter(engine="temporal").exists()


def test_a_queue_that_nobody_serves_is_named(peer: Peer) -> None:
    with hosted():
        run = start(peer, "temporal", step("a", [], queue="agents"))
        until(run, lambda run: any("no temporal worker serves the queue 'agents'" in line for line in why(run)))
    with hosted(queues={"default": 1, "agents": 1}):
        until(run)
    assert run.status == "completed"


def test_limits_follow_the_timeout_of_the_step(peer: Peer) -> None:
    year = 366 * 86_400
    with hosted():
        run = start(peer, "temporal", step("a", [], timeout_seconds=year), step("b", [], timeout_seconds=5))
        until(run)
    grace, limits = timedelta(seconds=dto.GRACE_SECONDS), scheduled(run)
    assert limits["a"].start_to_close_timeout.ToTimedelta() == timedelta(days=366) + grace
    assert limits["b"].start_to_close_timeout.ToTimedelta() == timedelta(seconds=5) + grace
    assert {limits["a"].retry_policy.maximum_attempts, limits["a"].schedule_to_close_timeout.seconds} == {0}


def test_an_attempt_beyond_its_limit_is_not_begun_beside_itself(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its limit, made two seconds here, passes several times while this process still performs it."""
    monkeypatch.setattr(dto, "GRACE_SECONDS", -58)
    peer.delay["/things/a"] = 8.0
    with hosted():
        run = start(peer, "temporal", step("a", [], timeout_seconds=60))
        until(run)
    assert run.status == "completed" and peer.methods("POST") == ["/things/a"]
    assert run.commands.get(kind="run_action").tries == 1


def test_without_a_heartbeat_process_the_worker_beats_itself(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(*_: Any) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(heartbeats.Helper, "start", cannot)
    peer.delay["/things/a"] = 12.0
    with hosted():
        run = start(peer, "temporal", step("a"))
        until(run)
    assert run.status == "completed" and peer.methods("POST") == ["/things/a"]
    assert run.commands.get(kind="run_action").tries == 1


def test_why_names_the_next_try(peer: Peer) -> None:
    peer.behave("/things/a", 500)
    with hosted():
        run = start(peer, "temporal", step("a", backoff_seconds=3600, backoff_limit_seconds=3600, retry_count=3))
        until(run, lambda run: any("backs off after attempt 1; next at 20" in line for line in why(run)))


def test_why_names_the_next_try_of_an_undo(peer: Peer) -> None:
    peer.behave("/things/b", 422)
    peer.behave("/things/undo", 500)
    undo = {"type": "api_call", "method": "DELETE", "url": "{base}/things/undo"}
    slow: dict[str, Any] = {"compensation_backoff_seconds": 3600, "backoff_limit_seconds": 3600}
    with hosted():
        run = start(peer, "temporal", step("a", compensation_action=undo, **slow), step("b", ["a"]))
        until(run, lambda run: any("is being undone, attempt 1; next at 20" in line for line in why(run)))


def test_why_names_the_next_try_of_our_machinery(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("out of order")

    with hosted():
        with monkeypatch.context() as patched:
            patched.setattr(activities, "perform_attempt", broken)
            run = start(peer, "temporal", step("a"))
            until(run, lambda run: any("its machinery tries again at 20" in line for line in why(run)))
            assert "out of order" in "\n".join(why(run))
        until(run)
    assert run.status == "completed" and run.commands.get(kind="run_action").tries > 1


def test_our_machinery_gives_up_after_some_tries(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on the own engine: a poison action must not loop for ever."""

    def broken(*_: Any) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(activities, "perform_attempt", broken)
    with hosted():
        run = start(peer, "temporal", step("a"))
        until(run)
    assert run.status == "held" and run.commands.get(kind="run_action").tries == MOST_TRIES
    assert "out of order" in run_view(run)["hold_reason"]


def test_a_worker_that_cannot_reach_its_server_serves_no_queue(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lease is fresh, since the database answers: what waits for its queue waits all the same, and is told so."""
    reach = connection.server_version

    async def away() -> str:
        raise Unreachable("cannot reach the Temporal server at 127.0.0.1:1", remedy="see its address")

    with hosted(queues={"default": 1}):
        monkeypatch.setattr(connection, "server_version", away)
        with beside("other:t", {"agents": 1}):
            wait_until(lambda: Worker.objects.filter(pk="other:t", detail__has_key="failing").exists(), "its word")
            assert "agents" not in queues_served("temporal")
            run = start(peer, "temporal", step("a", [], queue="agents"))
            told = "worker other:t, which serves the queue 'agents', has not reached its server since"
            until(run, lambda run: any(told in line for line in why(run)))
            assert any("temporal server of worker other:t fails since" in line for line in failing())
            assert ("temporal", "agents") in unserved()
            monkeypatch.setattr(connection, "server_version", reach)
            wait_until(lambda: queues_served("temporal").get("agents") == 1 and not failing(), "its server")


def test_a_command_that_waits_serves_the_queues_that_nobody_serves(peer: Peer) -> None:
    child = {"saga_id": "child", "steps": [step("x", queue="gpu")], "context": {"base": peer.url}}
    kid = {"step_id": "kid", "forward_action": {"type": "saga", "definition": child}, "dependencies": ["b"]}
    steps = step("a"), step("b", ["a"], queue="agents"), kid
    assert watch(start(peer, "temporal", *steps)).status == "completed", "where no worker is"
    with hosted(queues={"default": 2}):
        assert watch(start(peer, "temporal", *steps)).status == "completed", "beside one of the default queue"


def test_a_command_that_waits_only_names_them_while_it_cannot_reach_the_server(
    peer: Peer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise Unreachable("the server is away")

    with hosted(queues={"default": 2}):
        run = start(peer, "temporal", step("b", queue="agents"))
        monkeypatch.setattr(connection, "server_version", away)
        with _worker_for(run):
            assert "agents" not in queues_served("temporal")
    said = capsys.readouterr().err
    assert "serves the queue 'agents'" in said and "the server is away" in said and "until the run ends" not in said


def test_a_worker_that_is_stopped_waits_for_its_call_beyond_the_sdks_grace(
    peer: Peer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(worker, "SDK_GRACE", timedelta(seconds=0.1))
    caplog.set_level(logging.DEBUG, "temporalio.worker._activity")
    peer.hold("POST", "/things/a")

    def let_go() -> None:
        wait_until(lambda: "Cancelling activity" in caplog.text, "the end of the grace")
        peer.let_go()

    with hosted():
        run = start(peer, "temporal", step("a"))
        until(run, lambda _: peer.held("POST", "/things/a") == 1)
        letting = threading.Thread(target=let_go)
        letting.start()
    letting.join()
    row = Command.objects.get(run=run, step_id="a")
    assert (row.outcome, row.tries) == ("succeeded", 1)
    with hosted():
        assert until(run).status == "completed"
    assert peer.methods("POST") == ["/things/a"]

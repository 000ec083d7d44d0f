"""48 hours pass in a second: reminders, an escalation after a day, the end after two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from temporalio import activity

from approvals.models import Request
from approvals.queries.requests import state_of
from approvals.requests import publish_policy
from foundation import clock
from foundation.clock import now
from orchestration.models import Run
from orchestration.runs.queries import run_view
from orchestration.workers.temporal import activities
from orchestration.workers.temporal.worker import hosted
from tests.approvals.later import after
from tests.support.peer import Peer
from tests.support.servers.skipping import SkippingServer, running
from tests.system.contract.cast import account, says
from tests.system.contract.hosts import celery_host, memory_host, until
from tests.system.contract.sagas import ADA, start, step
from tests.system.contract.test_gates import asked

STAGE: dict[str, Any] = {
    "name": "s",
    "who": {"users": ["bob"]},
    "remind": ["1h", "12h"],
    "escalate": [{"after": "24h", "to": {"users": ["dora"]}, "authority": "add"}],
    "expire": "48h",
}
GATE = {"step_id": "gate", "forward_action": {"type": "approval", "policy": "slow"}}
WHOLE_STORY = ["stage_opened", "reminded", "reminded", "escalated", "expired"]


@pytest.fixture(autouse=True)
def people(transactional_db: None) -> None:
    account("bob")
    account("dora")
    publish_policy(data={"policy": "slow", "stages": [STAGE]}, actor=ADA)


def skipped_time() -> datetime:
    """The database's clock as it would be if it skipped as the server's does."""
    return max(clock.database_now(), activity.info().started_time)


@pytest.fixture
def skipping_temporal(
    time_skipping_server: Path, settings: Settings, people: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SkippingServer]:
    """Of its own: an approval's clocks start with the database's, which no other test may have left behind."""
    monkeypatch.setattr(activities, "database_now", skipped_time)
    with running(time_skipping_server, tmp_path) as server:
        settings.TEMPORAL_ADDRESS = server.address
        settings.TEMPORAL_TASK_QUEUE = "long-approvals"
        with hosted():
            yield server


def story(request: Request) -> list[str]:
    """What the clocks did, in its order, as far as each rang by itself."""
    words = {f"approval.{word}": word for word in WHOLE_STORY}
    return [words[kind] for kind in request.run.events.values_list("kind", flat=True) if kind in words]


def ended_by_its_clock(run: Run, peer: Peer) -> None:
    view = run_view(until(run))
    assert (view["status"], view["cause"]) == ("rolled_back", "timed_out") and peer.things == {}
    assert peer.methods("POST") == ["/things/a"]
    request = Request.objects.get(about=run.workflow_id)
    assert set(story(request)) == set(WHOLE_STORY) and not request.votes.exists()
    assert (state_of(request).reminded, state_of(request).escalated) == (2, (0,))
    assert request.decided_at is not None and request.decided_at - request.created_at == timedelta(hours=48)


def answered_after_a_day(run: Run, peer: Peer) -> None:
    request = asked(run)
    until(request.run, lambda r: r.events.filter(kind="approval.escalated").exists())
    request.refresh_from_db()
    assert (state_of(request).reminded, state_of(request).escalated) == (2, (0,)) and not run.finished_at
    says("dora", "approve", request)
    assert until(run).status == "completed" and "/things/b" in peer.things


def all_is_rung(run: Run) -> bool:
    return not Request.objects.filter(about=run.workflow_id, next_at__lte=now()).exists()


def started(peer: Peer, engine: str) -> Run:
    return start(peer, engine, step("a"), GATE, step("b"))


def test_two_days_on_the_memory_engine(peer: Peer) -> None:
    with memory_host(longest_alarm=timedelta(days=3)) as engine:
        ended_by_its_clock(started(peer, engine), peer)
    assert story(Request.objects.get()) == WHOLE_STORY


def test_an_answer_after_a_day_on_the_memory_engine(peer: Peer) -> None:
    with memory_host(longest_alarm=timedelta(hours=25)) as engine:
        answered_after_a_day(started(peer, engine), peer)


def test_two_days_on_the_own_engine(peer: Peer) -> None:
    with celery_host() as engine:
        run = started(peer, engine)
        asked(run)
        for hours in (2, 13, 25):
            with after(hours=hours):
                until(run, all_is_rung)
        with after(hours=49):
            ended_by_its_clock(run, peer)
    assert story(Request.objects.get()) == WHOLE_STORY


def test_an_answer_after_a_day_on_the_own_engine(peer: Peer) -> None:
    with celery_host() as engine:
        run = started(peer, engine)
        asked(run)
        with after(hours=25):
            answered_after_a_day(run, peer)


def test_a_worker_that_was_away_for_two_days_catches_up(peer: Peer) -> None:
    with celery_host() as engine:
        run = started(peer, engine)
        asked(run)
    with after(hours=72), celery_host():
        ended_by_its_clock(run, peer)


def test_two_days_on_temporal(skipping_temporal: SkippingServer, peer: Peer) -> None:
    with skipping_temporal.skip():
        ended_by_its_clock(started(peer, "temporal"), peer)
    assert story(Request.objects.get()) == WHOLE_STORY

"""A run that cannot go on though its flow could says so, and goes on once that is mended."""

from __future__ import annotations

import asyncio
import gc
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pytest_django import Settings

from foundation.errors import Unreachable, WrongState
from monitoring.probes.work import backlog
from orchestration.core.enums import Verb
from orchestration.core.saga import versions
from orchestration.engines.temporal import connection, delivery
from orchestration.ledger.inbox import store_once
from orchestration.models import Command, Event, Run, Step
from orchestration.runs.acts import act
from orchestration.runs.delivery import deliver
from orchestration.runs.queries import run_view
from orchestration.runs.waiting_reasons import why
from orchestration.workers.temporal.worker import hosted
from tests.orchestration.engines.temporal.test_histories import backwards
from tests.support.peer import Peer, serving
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step

pytestmark = pytest.mark.django_db(transaction=True)
TROUBLE = "engine trouble: "


@pytest.fixture
def peer(settings: Settings, temporal_dev_server: str, transactional_db: None) -> Iterator[Peer]:
    settings.TEMPORAL_ADDRESS, settings.TEMPORAL_TASK_QUEUE = temporal_dev_server, f"troubles-{uuid.uuid4().hex[:6]}"
    with serving() as running:
        settings.ZEN_OUTBOUND_ALLOW = (running.address,)
        yield running


def waiting(peer: Peer, seconds: float = 2) -> Run:
    """A run that has performed two steps side by side and waits when its worker is stopped."""
    pause = {"step_id": "w", "dependencies": ["a", "b"], "forward_action": {"type": "wait", "seconds": seconds}}
    with hosted():
        run = start(peer, "temporal", step("a", []), step("b", []), pause, step("c", ["w"]))
        until(run, lambda run: run.status == "waiting")
    return run


@contextmanager
def changed(*, since: int) -> Iterator[None]:
    """A release in which the flow launches ready steps in another order, in plans of this version and later ones."""
    with pytest.MonkeyPatch.context() as release:
        backwards(release, since=since)
        yield


def in_trouble(run: Run) -> bool:
    return any(line.startswith(f"{TROUBLE}its workflow task fails") for line in why(run))


def test_a_changed_flow_is_shown_and_the_run_goes_on_when_it_is_put_right(peer: Peer) -> None:
    run = waiting(peer)
    with changed(since=versions.FIRST), hosted():
        until(run, in_trouble)
        until(run, lambda run: run.error.startswith(f"{TROUBLE}its workflow task fails"))
        assert run_view(run)["error"] == run.error
        assert "TMPRL1100" in run.error and "docs/howto/upgrading.md" in run.error
        found = backlog()
        assert run.workflow_id in found.detail and "flow version" in found.remedy
        assert "step 'w' waits" in "\n".join(why(run))
    with hosted():
        until(run, lambda run: run.finished_at is not None)
        until(run, lambda run: run.error == "")
    assert run.status == "completed" and run_view(run)["error"] == ""


def test_a_new_version_of_the_flow_leaves_the_run_alone(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    run = waiting(peer)
    monkeypatch.setattr(versions, "LATEST", versions.LATEST + 1)
    with changed(since=versions.LATEST), hosted():
        until(run)
        newer = start(peer, "temporal", step("a", []), step("b", []))
        until(newer)
    assert (run.status, newer.status) == ("completed", "completed")


def test_a_workflow_that_somebody_terminates_is_shown(peer: Peer) -> None:
    run = waiting(peer, seconds=3600)

    async def terminate() -> None:
        await (await connection.client()).get_workflow_handle(run.workflow_id).terminate()

    connection.call(terminate())
    assert f"{TROUBLE}its workflow was terminated on the Temporal server" in why(run)


def test_a_run_whose_workflow_has_ended_alone_says_so_swallows_nothing_and_is_taken_up_by_an_abort(peer: Peer) -> None:
    run = waiting(peer)
    saved = [*Run.objects.filter(pk=run.pk), *_ledger(run)]
    with hosted():
        until(run)
        for row in _ledger(run):
            row.delete()
        for kept in saved:  # the database is restored to what it was while the run waited
            kept.save()
        run.refresh_from_db()
        assert any(line.startswith(f"{TROUBLE}its workflow has ended on the Temporal server") for line in why(run))
        with pytest.raises(WrongState, match="its workflow has ended on the Temporal server, and the run has not"):
            act(workflow_id=run.workflow_id, verb=Verb.HOLD, actor=ADA)
        ended: dict[str, object] = {
            "kind": "action_ended",
            "at": "2026-01-01T00:00:00Z",
            "step_id": "w",
            "purpose": "forward",
        }
        ended |= {"iteration": 0, "attempt": 1, "outcome": "succeeded"}
        told = store_once(run, ended, message_id="the-answer-of-a-gate")
        with pytest.raises(Unreachable, match="the run has not"):
            deliver(told)
        told.refresh_from_db()
        assert told.delivered_at is None and not told.refusal
        act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
        until(run)
        assert (run.status, run.error) == ("rolled_back", "")
        until(run, lambda run: not run.messages.filter(delivered_at=None).exists())


def _ledger(run: Run) -> list[Step | Command | Event]:
    return [*Step.objects.filter(run=run), *Command.objects.filter(run=run), *Event.objects.filter(run=run)]


def test_an_act_that_nobody_answers_leaves_no_error_of_the_loop(
    peer: Peer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = waiting(peer, seconds=3600)
    monkeypatch.setattr(delivery, "UPDATE_SECONDS", 0.5)
    with caplog.at_level("ERROR", logger="asyncio"):
        act(workflow_id=run.workflow_id, verb=Verb.HOLD, actor=ADA)  # no worker is there
        gc.collect()
        connection.call(asyncio.sleep(0.1))
        gc.collect()
    assert run.messages.filter(delivered_at=None).count() == 1
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


def test_a_server_that_is_away_is_said_with_the_next_try(peer: Peer, settings: Settings) -> None:
    run = waiting(peer, seconds=3600)
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    line, *others = why(run)
    assert "cannot be reached" in line and "asked again each second" in line
    assert others and others[0].startswith("step 'w' waits; next at ")

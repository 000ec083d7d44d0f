"""Idempotency keys on the wire, on every engine."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.models.run import RULES
from orchestration.runs import act, new_run, preview, start_run
from orchestration.runs.queries import run_view
from tests.support.peer import Peer
from tests.system.contract.hosts import ended_after, until
from tests.system.contract.sagas import ADA, start, step

OWN: dict[str, Any] = {"idempotency_key": "{order}"}
ORDER: dict[str, Any] = {"order": "o-1"}


def run_of(peer: Peer, engine: str, *steps: dict[str, Any], **more: Any) -> Run:
    return start(peer, engine, *steps, context={"base": peer.url, **ORDER}, **more)


def keys(peer: Peer, method: str = "POST") -> list[str]:
    return [key for called, _, key in peer.calls if called == method]


def test_one_template_on_two_steps_gives_two_keys(engine: str, peer: Peer) -> None:
    """sagas/02: the second effect was lost to the first one's key."""
    run = until(run_of(peer, engine, step("reserve", **OWN), step("charge", **OWN)))
    assert run.status == "completed" and set(peer.things) == {"/things/reserve", "/things/charge"}
    assert keys(peer) == [f"o-1/{run.workflow_id}:{name}:forward:1" for name in ("reserve", "charge")]


@pytest.mark.parametrize("scope", ["run", "business"])
def test_a_restart_is_another_run_and_so_another_key_unless_the_business_says_so(
    engine: str, peer: Peer, scope: str
) -> None:
    """sagas/03: the restarted run was answered as the first one, whose effect was undone."""
    peer.behave("/things/ship", 400, 200)
    first = until(run_of(peer, engine, step("reserve", **OWN), step("ship"), idempotency_scope=scope))
    assert first.status == "rolled_back" and peer.things == {}
    told = preview(workflow_id=first.workflow_id, verb=Verb.RESTART, actor=ADA).lines
    again = until(act(workflow_id=first.workflow_id, verb=Verb.RESTART, actor=ADA))
    assert again.status == "completed" and again.workflow_id != first.workflow_id
    (one, two) = (key for key in keys(peer) if ":reserve:" in key or "/reserve:" in key)
    if scope == "run":
        assert (one, two) == tuple(f"o-1/{run.workflow_id}:reserve:forward:1" for run in (first, again))
        assert "/things/reserve" in peer.things and len(told) == 1
    else:
        assert one == two == "o-1/contract/reserve:forward:1"
        assert "the same idempotency keys are sent again" in told[1] and "reserve" in told[1]


def test_a_rerun_and_an_undo_have_keys_of_their_own(engine: str, peer: Peer) -> None:
    run = until(run_of(peer, engine, step("a", **OWN), idempotency_scope="business"))
    act(workflow_id=run.workflow_id, verb=Verb.RERUN, actor=ADA, step_id="a")
    run = ended_after(run, lambda run: run.commands.filter(iteration=2, outcome="succeeded").exists())
    assert keys(peer) == ["o-1/contract/a:forward:1", "o-1/contract/a:forward:2"]


def test_two_children_of_one_saga_have_keys_of_their_own(engine: str, peer: Peer) -> None:
    child = {"saga_id": "child", "context": {"base": peer.url, **ORDER}, "steps": [step("a", **OWN)]}
    both = [{"step_id": name, "forward_action": {"type": "saga", "definition": child}} for name in ("one", "two")]
    run = until(run_of(peer, engine, *both))
    assert run_view(run)["status"] == "completed"
    assert keys(peer) == [f"o-1/{run.workflow_id}.{name}.1:a:forward:1" for name in ("one", "two")]


def test_a_run_of_before_the_upgrade_keeps_the_key_that_it_has_used(
    engine: str, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was started under the old rules; the upgrade comes between two attempts of its step."""
    monkeypatch.setattr(new_run, "RULES", 1)
    peer.behave("/things/a", 500, 500)
    run = run_of(peer, engine, step("a", retry_count=2, backoff_seconds=3.0, **OWN), step("b"))
    until(run, lambda run: run.commands.filter(outcome="retryable").exists())
    monkeypatch.setattr(new_run, "RULES", RULES)
    assert until(run).status == "completed"
    assert keys(peer) == ["o-1:forward:1"] * 3 + [f"{run.workflow_id}:b:forward:1"]


def test_a_run_started_by_an_older_worker_has_the_older_rules(transactional_db: None) -> None:
    """Such a worker does not know the column: the database fills it in."""
    default: Any = Run._meta.get_field("rules").db_default
    assert default == 1
    definition = {"saga_id": "s", "steps": [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 0}}]}
    run, _ = start_run(definition=definition, actor=ADA, engine="celery")
    assert Run.objects.get(pk=run.pk).rules == RULES > 1

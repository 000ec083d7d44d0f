"""Sagas in sagas: how deep they may go, on every engine."""

from __future__ import annotations

from typing import Any

from pytest_django import Settings

from orchestration.models import Run
from orchestration.runs import publish
from orchestration.runs.queries import run_view
from tests.support.peer import Peer
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step


def kid(name: str, child: str) -> dict[str, Any]:
    return {"step_id": name, "forward_action": {"type": "saga", "definition": child, "context": {"base": "{base}"}}}


def publish_chain(*names: str) -> None:
    """Each saga creates a thing and then runs the next one; the last only creates."""
    for name, following in zip(names, (*names[1:], ""), strict=True):
        steps = [step(name), *([kid("kid", following)] if following else [])]
        publish(data={"saga_id": name, "steps": steps, "context": {"base": ""}}, actor=ADA)


def test_children_to_the_allowed_depth_complete(engine: str, peer: Peer, settings: Settings) -> None:
    settings.ZEN_MAX_CHILD_DEPTH = 2
    publish_chain("one", "two")
    run = until(start(peer, engine, kid("kid", "one")))
    assert run.status == "completed" and set(peer.things) == {"/things/one", "/things/two"}
    assert Run.objects.count() == 3


def test_a_child_too_deep_is_refused_and_everything_above_is_undone(
    engine: str, peer: Peer, settings: Settings
) -> None:
    settings.ZEN_MAX_CHILD_DEPTH = 2
    publish_chain("one", "two", "three")
    run = until(start(peer, engine, step("top"), kid("kid", "one")))
    assert run.status == "rolled_back" and peer.things == {} and "/things/two" in peer.methods("POST")
    refused = Run.objects.get(definition__saga_id="two")
    error = run_view(refused)["error"]
    assert "ZEN_MAX_CHILD_DEPTH" in error
    assert "contract (step kid) → one (step kid) → two (step kid) → three" in error
    assert not Run.objects.filter(definition__saga_id="three").exists()
    above = run_view(run)["error"]
    assert above.startswith("step 'kid': child run ") and "ZEN_MAX_CHILD_DEPTH" in above, "why it failed is told above"


def test_long_names_make_no_handle_that_is_too_long(engine: str, peer: Peer) -> None:
    publish_chain("one", "two")
    outer = {"saga_id": "outer", "context": {"base": ""}, "steps": [kid("k" * 100, "one")]}
    publish(data=outer, actor=ADA)
    run = until(start(peer, engine, kid("l" * 100, "outer")))
    assert run.status == "completed" and Run.objects.count() == 4
    assert all(len(handle) <= 200 for handle in Run.objects.values_list("workflow_id", flat=True))

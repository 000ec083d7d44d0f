"""A child saga whose definition an earlier step gives: the same on every engine."""

from __future__ import annotations

import json
from typing import Any

from pytest_django import Settings

from orchestration.models import Definition, Run
from orchestration.runs import publish
from orchestration.runs.queries import run_view
from tests.support.peer import Peer
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step

BUILD: dict[str, Any] = {
    "step_id": "build",
    "forward_action": {"type": "saga", "definition": "{plan.build}", "context": {"base": "{base}"}},
}


def plan(peer: Peer, build: object) -> dict[str, Any]:
    """A step whose output has `build`."""
    peer.say("/plan", 200, {"Content-Type": "application/json"}, json.dumps({"build": build}).encode())
    return {"step_id": "plan", "forward_action": {"type": "api_call", "url": "{base}/plan"}}


def saga(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"saga_id": "built", "steps": list(steps), "context": {"base": ""}}


def test_it_runs_what_the_output_says_and_is_undone_with_its_parent(engine: str, peer: Peer) -> None:
    build = saga(step("a"), step("b", []))
    peer.behave("/things/z", 400)
    run = until(start(peer, engine, plan(peer, build), BUILD, step("z")))
    assert run.status == "rolled_back"
    assert set(peer.methods("POST")) == {"/things/a", "/things/b", "/things/z"}
    assert peer.things == {} and set(peer.methods("DELETE")) == {"/things/a", "/things/b"}
    child = Run.objects.get(parent=run)
    assert (child.definition.saga_id, child.engine, child.status) == ("built", run.engine, "rolled_back")
    assert not child.definition.listed, "no name finds what came in with a run"


def test_every_problem_of_it_is_named_by_the_step_that_fails(engine: str, peer: Peer) -> None:
    wrong = saga(step("a", ["nowhere"]), step("b", retry_counts=3), {"step_id": "c", "forward_action": {"type": "x"}})
    run = until(start(peer, engine, step("top"), plan(peer, wrong), BUILD))
    assert run.status == "rolled_back" and peer.things == {} and not Run.objects.exclude(pk=run.pk).exists()
    error = run_view(run)["error"]
    assert error.startswith("step 'build': the child saga was refused: ")
    for part in ("step 'a', dependencies", "retry_counts", "did you mean 'retry_count'?", "step 'c'", "'x'"):
        assert part in error


def test_what_is_no_definition_is_refused(engine: str, peer: Peer) -> None:
    for build, said in ((None, "is null"), ([1], "is a list"), ("nobody", "there is no saga 'nobody'")):
        run = until(start(peer, engine, plan(peer, build), BUILD))
        assert run.status == "rolled_back" and said in run_view(run)["error"]


def test_an_output_can_name_a_published_saga(engine: str, peer: Peer) -> None:
    publish(data=saga(step("a")), actor=ADA)
    run = until(start(peer, engine, plan(peer, "built"), BUILD))
    assert run.status == "completed" and set(peer.things) == {"/things/a"}


def test_an_output_cannot_ask_for_a_secret(engine: str, peer: Peer, settings: Settings) -> None:
    settings.ZEN_SECRETS = {"KEY": "very-secret-value"}
    stolen = step("a") | {
        "forward_action": {"type": "api_call", "url": "{base}/things/a", "headers": {"X-Key": "{secret:KEY}"}}
    }
    run = until(start(peer, engine, plan(peer, saga(stolen)), BUILD))
    assert run.status == "rolled_back" and "secret reference" in run_view(run)["error"]
    assert not Run.objects.exclude(pk=run.pk).exists() and peer.things == {}


def test_one_that_gives_itself_ends_at_the_limit_of_levels(engine: str, peer: Peer, settings: Settings) -> None:
    settings.ZEN_MAX_CHILD_DEPTH = 2
    again = {"step_id": "plan", "forward_action": {"type": "api_call", "url": "{base}/plan"}}
    run = until(start(peer, engine, plan(peer, saga(again, BUILD)), BUILD))
    assert run.status == "rolled_back" and Run.objects.count() == 3
    assert "ZEN_MAX_CHILD_DEPTH" in run_view(run)["error"]


def test_one_that_is_too_large_is_refused(engine: str, peer: Peer) -> None:
    large = saga(step("a")) | {"context": {"base": "", "text": "x" * (1024 * 1024)}}
    run = until(start(peer, engine, plan(peer, large), BUILD))
    assert run.status == "rolled_back" and "larger than 1 MiB" in run_view(run)["error"]
    assert Definition.objects.filter(saga_id="built").count() == 0

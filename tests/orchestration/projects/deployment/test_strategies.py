"""Rolling, canary and recreate with real processes, and the drivers api and script."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from orchestration.core.deployment import DeploymentSpec, compile_deployment, validate_deployment
from orchestration.models import Run
from orchestration.runs import start_run
from orchestration.runs.queries import run_view
from tests.orchestration.projects.deployment.shop import Shop, answered, asking, faults
from tests.support.peer import Peer
from tests.support.waiting import wait_until
from tests.system.contract import hosts
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)


def output(run: Any, step: str) -> Any:
    return run.commands.get(step_id=step, purpose="forward", outcome="succeeded").output


@pytest.fixture(params=["memory", "celery"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The strategies are steps like others: every engine is asked in test_blue_green."""
    with hosts.memory_host() if request.param == "memory" else hosts.celery_host() as name:
        yield name


def test_rolling_replaces_one_process_after_another_and_loses_nothing(shop: Shop) -> None:
    until(shop.deploy(shop.commit("old"), "rolling", replicas=2))
    with asking(shop.url) as clients:
        wait_until(lambda: answered(clients)["old"] > 10, "the old release")
        run = until(shop.deploy(shop.commit("new"), "rolling", replicas=2))
    assert run.status == "completed", run_view(run)["error"]
    assert faults(clients) == [] and shop.version() == "new"
    assert [round(share) for share in output(run, "switch_1")["traffic"].values()] == [50, 50]
    assert len(output(run, "drain_1")["stopped"]) == 1 and len(shop.record.routing) == 2


def test_a_rolling_release_that_is_unwell_gives_back_what_it_had_taken(shop: Shop) -> None:
    until(shop.deploy(shop.commit("old"), "rolling", replicas=2))
    bad = shop.commit("new", breaks=True)
    with asking(shop.url, "/broken"):
        run = until(shop.deploy(bad, "rolling", replicas=2, window_seconds=15))
    assert run.status == "rolled_back" and shop.version() == "old"
    places = [(place.release, place.replica) for place in shop.record.routing]
    assert [number for _, number in places] == [1, 2] and {name for name, _ in places} == {shop.record.live}


def test_a_canary_gets_exactly_its_share(shop: Shop) -> None:
    until(shop.deploy(shop.commit("old"), "canary"))
    run = shop.deploy(shop.commit("new"), "canary", canary_weights=[20], window_seconds=6)
    until(run, lambda r: len(shop.record.routing) == 2)
    seen = [shop.version() for _ in range(50)]
    assert seen.count("new") == 10 and seen.count("old") == 40
    assert until(run).status == "completed" and shop.version() == "new"
    assert list(output(run, "switch_20")["traffic"].values()) == [80, 20]


def test_recreate_says_its_outage(shop: Shop) -> None:
    until(shop.deploy(shop.commit("old"), "recreate"))
    with asking(shop.url) as clients:
        wait_until(lambda: answered(clients)["old"] > 10, "the old release")
        run = until(shop.deploy(shop.commit("new"), "recreate"))
        seen = answered(clients)["new"]
        wait_until(lambda: answered(clients)["new"] > seen, "the new release")
    assert run.status == "completed" and output(run, "switch")["outage_seconds"] > 0.5
    assert faults(clients) and all("503" in fault and "no release serves" in fault for fault in faults(clients))


def test_recreate_of_a_release_that_does_not_start_brings_the_old_one_back(shop: Shop) -> None:
    until(shop.deploy(shop.commit("old"), "recreate"))
    run = until(shop.deploy(shop.commit("new", dies=True), "recreate"))
    assert run.status == "rolled_back" and shop.version() == "old" and shop.record.outage_since == ""
    error = run.commands.get(step_id="start", purpose="forward").error
    assert "ended with 7 before it answered; the end of its log: no database" in error


def test_the_first_deployment_leaves_nothing_when_it_is_taken_back(shop: Shop) -> None:
    run = until(shop.deploy(shop.commit("new", sick_after=2), window_seconds=10))
    assert run.status == "rolled_back" and shop.processes() == []
    assert (shop.record.port, shop.record.releases, shop.version()) == (0, {}, "")


def test_files_are_served_where_no_command_is_given(shop: Shop) -> None:
    (shop.work / "outside").symlink_to("/etc/passwd")
    run = until(shop.deploy(shop.commit("x", {"index.html": "hello", ".env": "KEY=1"}), command=None, health=None))
    assert run.status == "completed", run_view(run)["error"]
    assert urllib.request.urlopen(shop.url).read() == b"hello"
    for path in ("/outside", "/.env", "/%2e%2e/%2e%2e/record.json", "/..%2f..%2f..%2frecord.json"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(shop.url + path)


def api(peer: Peer, **more: Any) -> dict[str, Any]:
    """As in the guide: services of the author's own, the way back with the version before."""
    calls = {
        name: {
            "do": {
                "type": "api_call", "method": "POST", "url": f"{peer.url}/things/{name}",
                "payload": {"version": "{version}", "weight": "{weight}"},
            },
            "undo": {
                "type": "api_call", "method": "PUT", "url": f"{peer.url}/things/{name}",
                "payload": {"version": "{previous_version}"},
            },
        }
        for name in ("start", "switch")
    }  # fmt: skip
    quick = {"window_seconds": 0.4, "interval_seconds": 0.1}
    return {"driver": "api", **calls, "health": f"{peer.url}/health", **quick, **more}


def deployed(engine: str, strategy: str, commit: str, config: dict[str, Any]) -> Run:
    spec = DeploymentSpec(name="far", strategy=strategy, config=validate_deployment(config, strategy), commit=commit)
    run, _ = start_run(definition=compile_deployment(spec), actor=ADA, engine=engine, compiled=True)
    return until(run)


def test_the_driver_api_calls_what_it_was_given_and_takes_it_back(engine: str, peer: Peer) -> None:
    peer.say("/health", 200)
    config = api(peer, previous_version="v0")
    assert deployed(engine, "canary", "v1", config | {"canary_weights": [20]}).status == "completed"
    bodies = [(call.path, json.loads(call.body)) for call in peer.seen if call.method == "POST"]
    assert bodies == [
        ("/things/start", {"version": "v1", "weight": 100}),
        ("/things/switch", {"version": "v1", "weight": 20}),
        ("/things/switch", {"version": "v1", "weight": 100}),
    ]
    peer.say("/health", 503)
    run = deployed(engine, "blue_green", "v2", api(peer))
    row = run.commands.get(step_id="health", purpose="forward")
    assert run.status == "rolled_back" and row.detail["evidence"]["statuses"] == {"503": 1}
    back = [json.loads(call.body) for call in peer.seen if call.method == "PUT"]
    assert back == [{"version": "v1"}]  # what the deployment before had deployed


def test_a_version_before_that_nobody_knows_is_refused_at_once(engine: str, peer: Peer) -> None:
    run = deployed(engine, "blue_green", "v1", api(peer))
    assert run.status == "rolled_back" and peer.calls == []
    assert "say it in config.deployment.previous_version" in run.commands.get(step_id="release").error

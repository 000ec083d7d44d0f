"""Rolling, canary and recreate with real processes, and clients that ask all the time."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import pytest

from foundation.machine import tcp_ports
from orchestration.core.enums import Verb
from orchestration.projects.deployment.local import ports
from orchestration.runs import act
from orchestration.runs.queries import run_view
from tests.orchestration.projects.deployment.shop import Shop, answered, asking, faults
from tests.support.waiting import wait_until
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)


def output(run: Any, step: str) -> Any:
    return run.commands.get(step_id=step, purpose="forward", outcome="succeeded").output


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
    run = shop.deploy(shop.commit("new"), "canary", canary_weights=[20], window_seconds=30)
    until(run, lambda r: shop.is_at(r, "watch_20"))
    seen = [shop.version() for _ in range(50)]
    assert seen.count("new") == 10 and seen.count("old") == 40
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    assert until(run).status == "rolled_back" and shop.version() == "old"
    assert list(output(run, "switch_20")["traffic"].values()) == [80, 20]


def test_a_canary_loses_no_request_and_has_all_of_them_in_the_end(shop: Shop) -> None:
    until(shop.deploy(shop.commit("old"), "canary"))
    with asking(shop.url) as clients:
        wait_until(lambda: answered(clients)["old"] > 20, "the old release")
        run = until(shop.deploy(shop.commit("new"), "canary", canary_weights=[10, 50], window_seconds=1))
        before = answered(clients)
        wait_until(lambda: answered(clients)["new"] > before["new"] + 20, "the new release")
    assert run.status == "completed", run_view(run)["error"]
    assert faults(clients) == [] and set(answered(clients)) == {"old", "new"} and shop.version() == "new"
    shares = [list(output(run, f"switch_{weight}")["traffic"].values()) for weight in (10, 50, 100)]
    assert shares == [[90, 10], [50, 50], [100]] and len(shop.record.routing) == 1


def test_a_canary_that_is_unwell_goes_back_by_itself_and_users_notice_nothing(shop: Shop) -> None:
    """Its health is bad, and only once it has served somebody."""
    until(shop.deploy(shop.commit("old"), "canary"))
    with asking(shop.url) as clients:
        wait_until(lambda: answered(clients)["old"] > 20, "the old release")
        sick = shop.commit("new", sick_once_served=0)
        run = until(shop.deploy(sick, "canary", canary_weights=[20, 50], window_seconds=10))
        before = answered(clients)
        wait_until(lambda: answered(clients)["old"] > before["old"] + 20, "the old release")
        assert answered(clients)["new"] == before["new"] > 0
    assert run.status == "rolled_back" and faults(clients) == [] and shop.version() == "old"
    failed = run.commands.get(purpose="forward", outcome="failed")
    assert failed.step_id in ("watch_20", "watch_50")
    evidence: Any = failed.detail["evidence"]
    assert evidence["bad"] == 1 and evidence["users"]["bad"] == 0
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
    told = output(run, "release")["port"], *[one["port"] for one in output(run, "start")["processes"]]
    assert len(told) == 2 and not any(tcp_ports.taken(port) for port in told) and ports.leases() == {}


def test_files_are_served_where_no_command_is_given(shop: Shop) -> None:
    (shop.work / "outside").symlink_to("/etc/passwd")
    run = until(shop.deploy(shop.commit("x", {"index.html": "hello", ".env": "KEY=1"}), command=None, health=None))
    assert run.status == "completed", run_view(run)["error"]
    assert urllib.request.urlopen(shop.url).read() == b"hello"
    for path in ("/outside", "/.env", "/%2e%2e/%2e%2e/record.json", "/..%2f..%2f..%2frecord.json"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(shop.url + path)

"""Blue-green with real processes: who serves, what is lost, what comes back."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest

from orchestration.projects.deployment.local import ports
from orchestration.projects.deployment.local.folder import folder_of
from orchestration.runs.attempts import attempt_views
from orchestration.runs.queries import run_view
from tests.orchestration.projects.deployment.shop import Shop, answered, asking, faults
from tests.support.waiting import wait_until
from tests.system.contract.hosts import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_no_request_is_lost_while_green_takes_over(shop: Shop) -> None:
    assert until(shop.deploy(shop.commit("blue"))).status == "completed"
    assert shop.version() == "blue"
    with asking(shop.url) as clients:
        wait_until(lambda: answered(clients)["blue"] > 20, "blue's answers")
        run = until(shop.deploy(shop.commit("green")))
        seen = answered(clients)["green"]
        wait_until(lambda: answered(clients)["green"] > seen + 20, "green's answers")
    assert run.status == "completed", run_view(run)["error"]
    assert faults(clients) == []
    assert set(answered(clients)) == {"blue", "green"} and shop.version() == "green"


def test_an_unhealthy_green_leaves_blue_serving_and_its_evidence_stored(shop: Shop) -> None:
    until(shop.deploy(shop.commit("blue")))
    before = shop.processes()
    with asking(shop.url) as clients:
        run = until(shop.deploy(shop.commit("green", sick_after=3), window_seconds=30))
    assert run.status == "rolled_back" and shop.version() == "blue"
    assert faults(clients) == [] and set(answered(clients)) == {"blue"}
    assert shop.processes() == before and len(ports.leases(str(folder_of("shop").path))) == 2
    (attempt,) = [one for one in attempt_views(run, step_id="health") if one["purpose"] == "forward"]
    assert attempt["outcome"] == "failed" and "1 of 3 answers were bad; the first at" in attempt["error"]
    row = run.commands.get(step_id="health", purpose="forward")
    evidence = row.detail["evidence"]
    assert (evidence["good"], evidence["bad"], evidence["statuses"]) == (2, 1, {"200": 2, "500": 1})
    assert '"version": "green"' in evidence["first_failure"]["excerpt"]


def test_a_green_that_fails_users_after_the_switch_gives_the_traffic_back(shop: Shop) -> None:
    until(shop.deploy(shop.commit("blue")))
    with asking(shop.url, "/broken"):
        run = until(shop.deploy(shop.commit("green", breaks=True), window_seconds=20, interval_seconds=0.1))
    assert run.status == "rolled_back" and shop.version() == "blue"
    row = run.commands.get(step_id="watch", purpose="forward")
    assert row.detail["evidence"]["users"]["bad"] > 0 and "requests of users failed" in row.error
    assert "/broken" in str(row.detail["evidence"]["users"]["failures"])
    back: Any = run.commands.get(step_id="switch", purpose="undo").output
    assert back["changed"] is True and back["proof"]["status"] == 200


def test_a_green_that_dies_in_its_window_leaves_blue_serving_and_nothing_of_itself(shop: Shop) -> None:
    until(shop.deploy(shop.commit("blue")))
    before = shop.processes()
    with asking(shop.url) as clients:
        run = shop.deploy(shop.commit("green"), window_seconds=60)
        until(run, lambda r: shop.is_at(r, "health"))
        for pid in set(shop.processes()) - set(before):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert until(run).status == "rolled_back"
    assert faults(clients) == [] and set(answered(clients)) == {"blue"}
    assert shop.processes() == before and len(ports.leases(str(folder_of("shop").path))) == 2
    assert "no answer: " in run.commands.get(step_id="health", purpose="forward").error, "refused, or cut"


def test_a_window_is_spent_once(shop: Shop) -> None:
    """By the clock of the database: half before the switch, half after it."""
    run = until(shop.deploy(shop.commit("blue"), window_seconds=2, interval_seconds=0.2))
    assert run.status == "completed", run_view(run)["error"]
    lasted = 0.0
    for step in ("health", "watch"):
        told: Any = run.commands.get(step_id=step, purpose="forward").output
        began, ended = (datetime.fromisoformat(told[key]) for key in ("window_began", "window_ended"))
        assert (ended - began).total_seconds() >= 1
        assert told["answers"] <= 12 and told["good"] == told["answers"]  # 5 in a second, of two who are asked at most
        lasted += (ended - began).total_seconds()
    assert lasted >= 2

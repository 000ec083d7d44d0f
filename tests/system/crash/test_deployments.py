"""kill -9 of a worker, of the switch, of what serves: what can be kept is kept, and nothing is left twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from foundation.machine import tcp_ports
from orchestration.models import Run
from orchestration.projects.deployment.local import ports
from orchestration.projects.deployment.local.folder import folder_of, folders
from orchestration.projects.deployment.local.releases import stop_all
from orchestration.runs.queries import run_view
from tests.orchestration.projects.deployment.shop import Shop, answered, asking, faults
from tests.support.servers.fixtures import need
from tests.support.waiting import wait_until
from tests.system.contract.hosts import until
from tests.system.crash.workers import WorkerProcess, worker
from zen_project.embedded import temporal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def data(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    settings.ZEN_DATA_DIR = tmp_path / "data"
    settings.ZEN_DATA_DIR.mkdir()
    yield settings.ZEN_DATA_DIR
    for one in folders():
        stop_all(one)


class Site:
    """A shop, and the workers of an engine that can be killed."""

    def __init__(self, shop: Shop, env: dict[str, str], *command: str) -> None:
        self.shop, self.env, self.command, self.open = shop, env, command, ExitStack()
        self.worker = self.begin()

    def begin(self) -> WorkerProcess:
        self.worker = self.open.enter_context(worker(self.env, *self.command, engine=self.shop.engine))
        return self.worker

    def kill_at(self, run: Run, step: str, purpose: str = "forward") -> None:
        until(run, lambda r: self.shop.is_at(r, step, purpose))
        self.worker.kill()


@pytest.fixture(params=["celery", "temporal"])
def site(
    request: pytest.FixtureRequest, data: Path, process_env: dict[str, str], settings: Settings, tmp_path: Path
) -> Iterator[Site]:
    env = process_env | {"ZEN_DATA_DIR": str(data), "ZEN_LOG_LEVEL": "warning", "ZEN_WORKER_LEASE_SECONDS": "3"}
    with ExitStack() as stack:
        if request.param == "celery":
            env["CELERY_BROKER_URL"] = request.getfixturevalue("valkey_url")
            command: tuple[str, ...] = ()
        else:
            need(temporal.available)
            server = stack.enter_context(temporal.temporal_dev_server(tmp_path / "temporal"))
            settings.TEMPORAL_ADDRESS = env["TEMPORAL_ADDRESS"] = server.address
            command = ("manage.py", "temporal_worker")
        running = Site(Shop(data, request.param), env, *command)
        stack.enter_context(running.open)
        yield running


def number_in(file: Path) -> int:
    """The process number in a file; 0 while there is none."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return 0


def nothing_is_twice(shop: Shop) -> None:
    """One process for each part of the routing, one lease for each process, the users' port besides."""
    record = shop.record
    wanted = {backend.port for backend in record.backends()}
    assert all(len(tcp_ports.holders_of(port)) == 1 for port in (*wanted, record.port))
    listening = {port for port in ports.leases(str(folder_of(shop.name).path)) if tcp_ports.holders_of(port)}
    assert listening == wanted | {record.port}


@pytest.mark.crash
def test_a_worker_killed_at_every_step_is_replaced_and_no_request_is_lost(site: Site) -> None:
    shop = site.shop
    assert until(shop.deploy(shop.commit("blue"))).status == "completed"
    green = shop.commit("green", naps=3)
    with asking(shop.url) as clients:
        with shop.held():
            run = shop.deploy(green, window_seconds=8)
            site.kill_at(run, "release")
        for step, before in (("start", ""), ("health", ""), ("switch", "health"), ("watch", ""), ("drain", "watch")):
            site.begin()
            with ExitStack() as held:
                if before:
                    until(run, lambda r: shop.is_at(r, before))  # noqa: B023 - awaited in the loop
                    held.enter_context(shop.held())
                site.kill_at(run, step)
            assert shop.version() in ("blue", "green")  # what serves has no need of workers
        site.begin()
        until(run)
        seen = answered(clients)["green"]
        wait_until(lambda: answered(clients)["green"] > seen + 10, "green's answers")
    assert run.status == "completed", run_view(run)["error"]
    assert faults(clients) == [] and shop.version() == "green"
    nothing_is_twice(shop)


@pytest.mark.crash
@pytest.mark.parametrize(("site", "step"), [("celery", "switch"), ("temporal", "start")], indirect=["site"])
def test_a_worker_killed_on_the_way_back_is_replaced_and_blue_serves(site: Site, step: str) -> None:
    shop = site.shop
    until(shop.deploy(shop.commit("blue")))
    with asking(shop.url) as clients:
        sick: dict[str, Any] = {"sick_after": 15} if step == "start" else {"sick_once_served": 0}
        run = shop.deploy(shop.commit("green", **sick), window_seconds=8)
        until(run, lambda r: shop.is_at(r, "health" if step == "start" else "watch"))
        with shop.held():
            site.kill_at(run, step, "undo")
        site.begin()
        until(run)
    assert run.status == "rolled_back" and shop.version() == "blue" and faults(clients) == []
    assert len(shop.record.releases) == 1
    nothing_is_twice(shop)


@pytest.mark.crash
def test_a_switch_or_a_process_that_is_killed_is_started_again_by_a_worker(site: Site) -> None:
    """While nothing is deployed, and at each step of a deployment, which goes on."""
    shop = site.shop
    until(shop.deploy(shop.commit("blue")))
    folder = folder_of(shop.name)
    (place,) = shop.record.routing
    for file in (folder.path / "switch.pid", folder.replica(place.release, place.replica) / "runner.pid"):
        back_after_a_kill(file)
        wait_until(lambda: shop.version() == "blue", "blue serves again")
    nothing_is_twice(shop)
    run = shop.deploy(shop.commit("green", naps=2), window_seconds=8, healthy_share=0.5)
    for step in ("start", "health", "watch"):
        until(run, lambda r: shop.is_at(r, step))  # noqa: B023 - awaited in the loop
        back_after_a_kill(folder.path / "switch.pid")
    assert until(run).status == "completed", run_view(run)["error"]
    assert shop.version() == "green"
    nothing_is_twice(shop)


def back_after_a_kill(file: Path) -> None:
    """Kill the process whose number is in the file, and wait for another one."""
    killed = number_in(file)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: number_in(file) not in (0, killed), "another process")

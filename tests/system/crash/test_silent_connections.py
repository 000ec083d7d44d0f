"""Connections to the database that fall silent without being closed: workers of Temporal and the site give them up."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import httpx2
import psycopg
import pytest
from django.db import connection
from pytest_django import Settings

from tests.support.peer import Peer
from tests.support.servers.proxy import Proxy, before
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.contract.hosts import until
from tests.system.contract.sagas import start, step
from tests.system.crash.workers import WorkerProcess, worker
from zen_project.embedded.ports import free_port

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("postgresql"), pytest.mark.timeout(400)]
TABLE = "django_session"
WAITING = f"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{TABLE}%'"


@pytest.fixture
def through(process_env: dict[str, str]) -> Iterator[tuple[Proxy, dict[str, str]]]:
    with before(process_env["DATABASE_URL"]) as (proxy, url):
        yield proxy, process_env | {"DATABASE_URL": url, "ZEN_WORKER_LEASE_SECONDS": "3"}


def test_a_worker_of_temporal_gives_them_up(
    through: tuple[Proxy, dict[str, str]], peer: Peer, temporal_dev_server: str, settings: Settings
) -> None:
    proxy, env = through
    settings.TEMPORAL_ADDRESS, settings.TEMPORAL_TASK_QUEUE = temporal_dev_server, "silent"
    env |= {
        "ZEN_OUTBOUND_ALLOW": peer.address,
        "TEMPORAL_ADDRESS": temporal_dev_server, "TEMPORAL_TASK_QUEUE": "silent",
    }  # fmt: skip
    peer.hold("POST", "/things/a")
    with worker(env, "manage.py", "temporal_worker", engine="temporal") as only:
        run = start(peer, "temporal", step("a"), step("b"))
        until(run, lambda _: peer.held("POST", "/things/a") == 1)
        assert proxy.silence() > 0
        peer.let_go()
        until(run)
        assert "fell silent" in only.output()
    assert run.status == "completed" and peer.methods("POST") == ["/things/a", "/things/b"]


def test_a_request_of_the_site_ends(through: tuple[Proxy, dict[str, str]]) -> None:
    proxy, env = through
    site = f"http://127.0.0.1:{(port := free_port())}"
    server = WorkerProcess(env, "-m", "uvicorn", "zen_project.asgi:application", "--port", str(port))
    seen: list[int] = []

    def ask() -> int:
        headers = {"Cookie": f"sessionid={'a' * 32}"}  # of nobody, which the database has to say
        return httpx2.get(f"{site}/admin/", headers=headers, timeout=PATIENCE_SECONDS).status_code

    def is_up() -> bool:
        with contextlib.suppress(httpx2.TransportError):
            return httpx2.get(f"{site}/livez").status_code == 200
        return False

    asking = threading.Thread(target=lambda: seen.append(ask()))
    try:
        wait_until(is_up, server.output)
        assert ask() == 302
        with psycopg.connect(past(proxy, env), autocommit=False) as other, connection.cursor() as cursor:
            other.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE".encode())
            asking.start()

            def is_waited_for() -> bool:
                cursor.execute(WAITING)
                return bool(cursor.fetchone()[0])

            wait_until(is_waited_for, server.output)
            assert proxy.silence() > 0
        asking.join(PATIENCE_SECONDS)
        assert seen and seen[0] >= 500, server.output()
        assert "fell silent" in server.output() and ask() == 302
    finally:
        server.stop()


def past(proxy: Proxy, env: dict[str, str]) -> str:
    host, port = proxy.server
    url = env["DATABASE_URL"].replace(f"127.0.0.1:{proxy.port}", f"{host}:{port}")
    return url.replace("postgres://", "postgresql://", 1)

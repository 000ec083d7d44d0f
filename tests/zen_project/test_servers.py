"""The fixtures that the other tests stand on, and the site in a process of its own."""

import asyncio
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.contrib.auth.models import User
from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from temporalio.api.testservice.v1 import SleepRequest
from temporalio.client import Client

from tests.support.servers import skipping
from tests.support.waiting import PATIENCE_SECONDS
from zen_project.embedded.ports import free_port
from zen_project.embedded.process import OwnedServer

ROOT = Path(__file__).parents[2]


@pytest.mark.both_databases
def test_a_child_process_works_on_the_database_of_the_test(process_env: dict[str, str]) -> None:
    User.objects.create_user("alice")
    code = "from django.contrib.auth.models import User; print(*User.objects.values_list('username', flat=True))"
    child = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "--command", code],
        cwd=ROOT,
        env=process_env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert child.stdout == "alice\n"


async def connect(address: str) -> str:
    client = await Client.connect(address)
    return client.namespace


def test_the_dev_server_has_the_default_namespace(temporal_dev_server: str) -> None:
    assert asyncio.run(connect(temporal_dev_server)) == "default"


async def hours_of_sleep(client: Client) -> float:
    """How far the server's clock went in a sleep of two hours, which takes no two hours of ours."""
    service = client.test_service
    before = (await service.get_current_time(Empty())).time.ToDatetime()
    await service.unlock_time_skipping_with_sleep(SleepRequest(duration=Duration(seconds=7200)))
    after = (await service.get_current_time(Empty())).time.ToDatetime()
    return float((after - before) / timedelta(hours=1))


def test_the_time_skipping_server_skips(leaping_server: skipping.SkippingServer) -> None:
    assert skipping.called(leaping_server.loop, hours_of_sleep(leaping_server.client)) >= 2


def test_a_time_skipping_server_that_starts_slowly_is_waited_for(time_skipping_server: Path, tmp_path: Path) -> None:
    """The SDK's own start gives up after five seconds, of which its JVM has few on a busy machine."""
    slow = tmp_path / "slow-server"
    slow.write_text(f'#!/bin/sh\nsleep 7\nexec {shlex.quote(str(time_skipping_server))} "$@"\n')
    slow.chmod(0o755)
    with skipping.running(slow, tmp_path) as server:
        assert skipping.called(server.loop, hours_of_sleep(server.client)) >= 2


def test_valkey_keeps_what_it_is_given(valkey_url: str) -> None:
    with redis.Redis.from_url(valkey_url, decode_responses=True) as client:
        client.set("zen", "here")
        assert client.get("zen") == "here"


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except OSError:
        return 0, b""


@pytest.mark.both_databases
def test_the_site_answers_over_asgi(process_env: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    argv = [sys.executable, "-m", "uvicorn", "zen_project.asgi:application", "--port", str(port)]
    site = f"http://127.0.0.1:{port}"
    log = tmp_path / "log"
    with OwnedServer(name="site", argv=argv, log=log, address=site, environ=process_env, cwd=ROOT) as server:
        server.wait_until(lambda: get(f"{site}/livez") == (200, b"ok"), seconds=PATIENCE_SECONDS)
        assert get(f"{site}/admin/login/")[0] == 200
        assert get(f"{site}/static/unfold/css/styles.css")[0] == 200
        assert b"<svg" in get(f"{site}/favicon.ico")[1], "every browser asks for it"
        assert get(f"{site}/api/v1/schema/")[0] == 200

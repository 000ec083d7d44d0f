"""The fixtures that the other tests stand on, and the site in a process of its own."""

import asyncio
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import redis
from django.contrib.auth.models import User
from temporalio.client import Client

from tests.servers import skipping
from zen_project.embedded.process import OwnedServer, free_port

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


def test_the_time_skipping_server_runs(time_skipping_server: Path) -> None:
    async def skips() -> bool:
        async with await skipping.started(time_skipping_server) as env:
            return env.supports_time_skipping

    assert asyncio.run(skips())


def test_valkey_keeps_what_it_is_given(valkey_url: str) -> None:
    with redis.Redis.from_url(valkey_url, decode_responses=True) as client:
        client.set("zen", "here")
        assert client.get("zen") == "here"


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
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
        server.wait_until(lambda: get(f"{site}/livez") == (200, b"ok"))
        assert get(f"{site}/admin/login/")[0] == 200
        assert get(f"{site}/static/unfold/css/styles.css")[0] == 200
        assert b"<svg" in get(f"{site}/favicon.ico")[1], "every browser asks for it"
        assert get(f"{site}/api/v1/schema/")[0] == 200

"""Real servers start, stop, and outlive no owner."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from foundation.machine.tcp_ports import listens
from tests.support.servers.fixtures import need
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from zen_project.embedded import postgres, temporal, valkey
from zen_project.embedded.process import OwnedServer, ServerFailed

pytestmark = pytest.mark.servers  # processes of its own

ROOT = Path(__file__).parents[2]

OWNER = """
import sys, time
from pathlib import Path
from zen_project.embedded.process import OwnedServer
server = OwnedServer(name="sleeper", argv=["sleep", "1000.{tag}"], log=Path({log!r}), address="")
print(server.watchdog_pid, flush=True)
time.sleep(100)
"""


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def sleeping(tag: int) -> bool:
    return subprocess.run(["pgrep", "-f", f"^sleep 1000.{tag}$"], capture_output=True, check=False).returncode == 0


def port(server: OwnedServer) -> int:
    return int(server.address.rpartition(":")[2].partition("/")[0])


@pytest.mark.parametrize(
    ("victim", "blow"),
    [
        ("owner", signal.SIGKILL),
        ("owner", signal.SIGTERM),
        pytest.param(
            "watchdog", signal.SIGKILL, marks=pytest.mark.skipif(sys.platform != "linux", reason="a Linux call")
        ),
    ],
)
def test_no_server_outlives_its_owner_or_its_watchdog(tmp_path: Path, victim: str, blow: signal.Signals) -> None:
    tag = os.getpid()
    code = OWNER.format(tag=tag, log=str(tmp_path / "log"))
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        watchdog = int(owner.stdout.readline())
        wait_until(lambda: sleeping(tag), "the sleeper")
        os.kill(owner.pid if victim == "owner" else watchdog, blow)
        if victim == "watchdog":
            owner.kill()
    wait_until(lambda: gone(watchdog), "the end of the watchdog")
    wait_until(lambda: not sleeping(tag), "the end of the sleeper")


def test_a_server_that_ends_at_once_says_why(tmp_path: Path) -> None:
    server = OwnedServer(name="broken", argv=["sh", "-c", "echo port in use; exit 3"], log=tmp_path / "log", address="")
    with pytest.raises(ServerFailed, match="broken ended at once.*\n.*port in use"):
        server.wait_until(lambda: False)


def test_a_server_that_is_never_ready_is_stopped(tmp_path: Path) -> None:
    server = OwnedServer(name="slow", argv=["sleep", "100"], log=tmp_path / "log", address="")
    with pytest.raises(ServerFailed, match="slow was not ready within"):
        server.wait_until(lambda: False, seconds=0.2)
    assert not server.alive


def test_a_server_that_ignores_its_stop_signal_is_killed(tmp_path: Path) -> None:
    deaf = tmp_path / "deaf"
    stubborn = ["sh", "-c", f"trap '' TERM; touch {deaf}; while :; do sleep 0.1; done"]
    server = OwnedServer(name="stubborn", argv=stubborn, log=tmp_path / "log", address="", grace=0.3)
    server.wait_until(deaf.exists, seconds=PATIENCE_SECONDS)
    server.stop()
    assert not server.alive and server.exit_code == 128 + signal.SIGKILL


def test_temporal_keeps_its_namespace_and_history_over_a_kill(tmp_path: Path) -> None:
    need(temporal.available)
    first = temporal.temporal_dev_server(tmp_path)
    first.kill()
    assert not listens(port(first))
    with temporal.temporal_dev_server(tmp_path, port=port(first), ui_port=None) as second:
        assert second.address == first.address
        assert second.alive
    assert (tmp_path / "temporal.sqlite3").exists()


def test_valkey_asks_for_its_password(tmp_path: Path) -> None:
    need(valkey.available)
    with valkey.valkey(tmp_path) as server:
        with redis.Redis.from_url(server.address) as client:
            assert client.ping()
        with redis.Redis(port=port(server)) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    assert (tmp_path / "valkey" / "valkey.conf").stat().st_mode & 0o077 == 0


def test_postgres_keeps_its_rows_over_a_restart(tmp_path: Path) -> None:
    need(postgres.available)
    with postgres.postgres(tmp_path) as server, psycopg.connect(server.address) as connection:
        connection.execute("create table kept as select 7 as n")
    with postgres.postgres(tmp_path) as server, psycopg.connect(server.address) as connection:
        assert connection.execute("select n from kept").fetchone() == (7,)


def test_a_program_named_by_the_environment_must_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEN_VALKEY_BINARY", "/nowhere/valkey-server")
    with pytest.raises(Exception, match="ZEN_VALKEY_BINARY='/nowhere/valkey-server' is no program"):
        valkey.available()

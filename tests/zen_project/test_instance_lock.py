import errno
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest

from tests.support.waiting import PATIENCE_SECONDS
from zen_project.embedded.instance_lock import NOBODY, InstanceLock, Occupied, RunningInstance, read

pytestmark = pytest.mark.servers  # processes of its own

ROOT = Path(__file__).parents[2]
HOST = """
import sys, time
from pathlib import Path
from zen_project.embedded.instance_lock import InstanceLock, RunningInstance
InstanceLock(Path(sys.argv[1])).publish(RunningInstance(pid=1, temporal_address="127.0.0.1:7"))
print("in", flush=True)
time.sleep(100)
"""


def test_nobody_lives_in_a_new_folder(tmp_path: Path) -> None:
    assert read(tmp_path) == NOBODY


def test_what_the_host_offers_is_seen_until_it_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOST, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == "in\n"
        assert read(tmp_path).temporal_address == "127.0.0.1:7"
        with pytest.raises(Occupied, match="in use by process 1"):
            InstanceLock(tmp_path)
        host.send_signal(signal.SIGKILL)
    assert read(tmp_path) == NOBODY
    with InstanceLock(tmp_path):
        pass


def test_a_host_that_left_is_gone(tmp_path: Path) -> None:
    with InstanceLock(tmp_path) as home:
        home.publish(RunningInstance(pid=1, site="http://127.0.0.1:8000"))
    assert read(tmp_path) == NOBODY


def test_links_lead_to_the_site_that_lives_here_unless_people_know_it_by_another_name(tmp_path: Path) -> None:
    code = "from zen_project.settings import ZEN_PUBLIC_URL as url; print(url)"

    def url(**more: str) -> str:
        env = {k: v for k, v in os.environ.items() if k != "ZEN_PUBLIC_URL"} | {"ZEN_DATA_DIR": str(tmp_path)}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=ROOT, env=env | more, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert url() == "http://localhost:8000"
    with InstanceLock(tmp_path) as home:
        home.publish(RunningInstance(pid=os.getpid(), site="http://127.0.0.1:8124"))
        assert url() == "http://127.0.0.1:8124"
        assert url(ZEN_PUBLIC_URL="https://zen.example.com/") == "https://zen.example.com"


GUARDED = """
import sys, time
from pathlib import Path
from zen_project.embedded.process import OwnedServer
from zen_project.embedded.instance_lock import InstanceLock, RunningInstance
home = InstanceLock(Path(sys.argv[1]))
home.publish(RunningInstance(pid=int(sys.argv[3]), temporal_address="127.0.0.1:7"))
OwnedServer(name="p", argv=[sys.executable, "-c", sys.argv[2]], address="", held=[home.descriptor])
time.sleep(100)
"""
SLOW_TO_END = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: (time.sleep(1), exit()))
print(1, flush=True)
time.sleep(99)
"""


def test_whoever_moves_in_waits_for_what_a_killed_host_had_started(tmp_path: Path) -> None:
    """Also where the number of the killed host is another process's by now, as ours here."""
    with subprocess.Popen(
        [sys.executable, "-c", GUARDED, str(tmp_path), SLOW_TO_END, str(os.getpid())],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    ) as host:  # fmt: skip
        assert host.stdout is not None
        assert host.stdout.readline() == "1\n"
        host.send_signal(signal.SIGKILL)
        host.wait()
        assert read(tmp_path) == NOBODY
        with pytest.raises(Occupied, match=f"process {os.getpid()}, which ran here before, is gone"):
            InstanceLock(tmp_path)
        with InstanceLock(tmp_path, patience=PATIENCE_SECONDS):
            assert host.stdout.read() == "", "what the killed host had started has ended, and its watchdog too"


def test_nobody_waits_for_a_host_that_lives(tmp_path: Path) -> None:
    with InstanceLock(tmp_path), pytest.raises(Occupied, match="in use by process"):
        InstanceLock(tmp_path, patience=1e9)


def test_whoever_reads_keeps_nobody_from_moving_in(tmp_path: Path) -> None:
    with InstanceLock(tmp_path):
        pass
    with (tmp_path / "embedded.json").open() as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)
        done = Timer(0.2, lambda: fcntl.flock(reader, fcntl.LOCK_UN))
        done.start()
        with InstanceLock(tmp_path):
            assert read(tmp_path).pid == os.getpid()
        done.join()


def test_a_disk_that_locks_no_files_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(Occupied, match=r"cannot be locked .* ZEN_DATA_DIR has to be on a disk"):
        InstanceLock(tmp_path)
    assert read(tmp_path) == NOBODY

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from zen_project.embedded.residence import NOBODY, Neighbour, Occupied, Residence, read

ROOT = Path(__file__).parents[2]
HOST = """
import sys, time
from pathlib import Path
from zen_project.embedded.residence import Neighbour, Residence
Residence(Path(sys.argv[1])).publish(Neighbour(pid=1, temporal_address="127.0.0.1:7"))
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
            Residence(tmp_path)
        host.send_signal(signal.SIGKILL)
    assert read(tmp_path) == NOBODY
    with Residence(tmp_path):
        pass


def test_a_host_that_left_is_gone(tmp_path: Path) -> None:
    with Residence(tmp_path) as home:
        home.publish(Neighbour(pid=1, site="http://127.0.0.1:8000"))
    assert read(tmp_path) == NOBODY

"""What one copies from the console is whole: ids, errors and their remedies, at 80 columns and into a pipe."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
import termios
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from orchestration.core.enums import RunStatus
from orchestration.models import Run
from orchestration.runs import start_run
from tests.orchestration.api.test_runs import SAGA
from tests.support.waiting import PATIENCE_SECONDS
from tests.system.contract.sagas import ADA, step
from tests.system.crash.workers import ROOT
from zen_project.demo import story
from zen_project.demo.services import Service

pytestmark = pytest.mark.django_db(transaction=True)
LONG_ID = "order-" + "0123456789" * 12


def piped(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=env | {"COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


def at_a_terminal(env: dict[str, str], *arguments: str) -> str:
    """What comes to a terminal of 80 columns, as one line where the terminal alone would wrap it."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "manage.py", *arguments]
    kept = {name: value for name, value in env.items() if name not in ("COLUMNS", "LINES")} | {"TERM": "dumb"}
    with subprocess.Popen(command, cwd=ROOT, env=kept, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        seen = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:  # so Linux says that the other side is gone
                more = b""
            if not more:
                break
            seen += more
    os.close(ours)
    return seen.decode()


@pytest.fixture
def long_run() -> Run:
    return start_run(definition=SAGA, actor=ADA, engine="celery", workflow_id=LONG_ID)[0]


def test_a_list_in_a_pipe_is_a_line_per_run_with_tabs(long_run: Run, process_env: dict[str, str]) -> None:
    start_run(definition=SAGA, actor=ADA, engine="celery", workflow_id="short")
    lines = piped(process_env, "runs", "list").stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["short", LONG_ID]
    assert {line.count("\t") for line in lines} == {5}


def test_a_list_at_a_terminal_has_whole_ids(long_run: Run, process_env: dict[str, str]) -> None:
    seen = at_a_terminal(process_env, "runs", "list")
    assert LONG_ID in seen and "workflow_id" in seen and "…" not in seen


def test_an_unknown_status_is_exit_2_with_the_known_ones(process_env: dict[str, str]) -> None:
    wrong = piped(process_env, "runs", "list", "--status", "foo")
    assert wrong.returncode == 2 and "'foo' is not a status" in wrong.stderr and "no runs" not in wrong.stderr
    assert all(status in wrong.stderr for status in RunStatus)
    none = piped(process_env, "runs", "list", "--status", "completed")
    assert (none.returncode, none.stdout) == (0, "") and "no such runs" in none.stderr


def test_the_remedy_of_an_error_is_whole(process_env: dict[str, str], tmp_path: Path) -> None:
    """The outgoing guard's, which names the setting and the address."""
    file = tmp_path / "saga.yaml"
    forward = step("reserve_the_goods_in_the_inventory") | {"retry_count": 0}
    file.write_text(str({"saga_id": "x", "context": {"base": "http://127.0.0.1:9000"}, "steps": [forward]}))
    env = process_env | {"ZEN_OUTBOUND_ALLOW": ""}
    started = piped(env, "saga", "start", str(file), "--workflow-id", "w", "--engine", "celery", "--wait")
    assert started.returncode == 1, started.stderr
    for seen in (piped(env, "runs", "show", "w").stdout, at_a_terminal(env, "runs", "show", "w"), started.stderr):
        assert "ZEN_OUTBOUND_ALLOW=127.0.0.1:9000" in seen


def test_the_demonstrations_table_is_whole_at_80_columns() -> None:
    services = {name: Service(name) for name in ("inventory", "payments", "shipping")}
    holdings = {"inventory": ["reservations"], "payments": ["charges"], "shipping": ["labels", "parcels"]}
    for name, kinds in holdings.items():
        services[name].held = {f"/{kind}/{number}": "stuck" for number, kind in enumerate(kinds, 1)}
    console = Console(width=80, file=StringIO(), highlight=False)
    story._table(console, services, {"needs a person": Run(workflow_id="order-stuck", status="rolled_back")})
    assert isinstance(console.file, StringIO)
    seen = console.file.getvalue()
    whole = ["order-stuck", "needs a person", "rolled_back", "reservations/1", "charges/1", "labels/1", "parcels/2"]
    assert all(word in seen for word in [*whole, *services]) and "…" not in seen

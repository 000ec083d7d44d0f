"""The console's contract: exit codes, JSON, questions; real processes on the test's database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from foundation.clock import now
from orchestration.models import Run, Worker
from orchestration.workers.celery.in_process import hosted
from tests.support.peer import Peer, serving
from tests.support.waiting import wait_until
from tests.system.contract.hosts import until
from tests.system.contract.sagas import step
from tests.system.crash.workers import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
Manage = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def peer() -> Iterator[Peer]:
    with serving() as running:
        yield running


@pytest.fixture
def env(process_env: dict[str, str], peer: Peer) -> dict[str, str]:
    return process_env | {"ZEN_OUTBOUND_ALLOW": peer.address, "ZEN_ENGINE": "celery", "ZEN_WORKER_LEASE_SECONDS": "3"}


@pytest.fixture
def manage(env: dict[str, str]) -> Manage:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return run


@pytest.fixture
def file(tmp_path: Path, peer: Peer) -> Callable[..., str]:
    def write(*steps: dict[str, Any], **more: Any) -> str:
        path = tmp_path / "saga.json"
        path.write_text(json.dumps({"saga_id": "cli", "context": {"base": peer.url}, "steps": list(steps), **more}))
        return str(path)

    return write


def test_a_saga_that_completes_exits_0_with_one_object(manage: Manage, file: Callable[..., str]) -> None:
    done = manage("saga", "start", file(step("a")), "--workflow-id", "w1", "--wait", "--json")
    shown = json.loads(done.stdout)
    assert done.returncode == 0 and shown["status"] == "completed"
    wanted = {"workflow_id", "kind", "engine", "status", "cause", "warnings", "result", "error", "steps"}
    assert wanted <= shown.keys()
    assert shown["steps"][0].keys() == {"step_id", "status", "attempts", "output", "error", "compensation"}
    again = manage("runs", "show", "w1", "--json")
    assert json.loads(again.stdout) == shown
    events = [json.loads(line)["kind"] for line in manage("runs", "events", "w1", "--json").stdout.splitlines()]
    assert events[0] == "run.started" and events[-1] == "run.completed"


def test_waiting_serves_the_queues_that_no_worker_serves(manage: Manage, file: Callable[..., str], peer: Peer) -> None:
    until, began = now() + timedelta(hours=1), now()
    other = {"queues": {"agents": 1}}
    Worker.objects.create(name="other", engine="celery", started_at=began, lease_until=until, detail=other)
    done = manage("saga", "start", file(step("a")), "--workflow-id", "w1", "--engine", "celery", "--wait")
    assert done.returncode == 0 and peer.things, done.stderr
    assert "no celery worker serves the queue 'default'" in done.stderr and "until the run ends" in done.stderr


def test_waiting_serves_the_queues_of_children(manage: Manage, file: Callable[..., str], peer: Peer) -> None:
    child = {"saga_id": "child", "steps": [step("x", queue="agents")], "context": {"base": peer.url}}
    kid = {"step_id": "kid", "forward_action": {"type": "saga", "definition": child}}
    with hosted(queues={"default": 1}):
        done = manage("saga", "start", file(kid), "--workflow-id", "w1", "--engine", "celery", "--wait")
    assert done.returncode == 0 and "/things/x" in peer.things, done.stderr
    assert "no celery worker serves the queue 'agents'" in done.stderr and "until the run ends" in done.stderr


def test_waiting_ends_with_1_when_a_child_needs_a_person(manage: Manage, file: Callable[..., str], peer: Peer) -> None:
    peer.behave("/undo/x", 403)
    peer.behave("/things/z", 422)
    undo = {"type": "api_call", "method": "DELETE", "url": "{base}/undo/x"}
    child = {"saga_id": "child", "steps": [step("x", compensation_action=undo)], "context": {"base": peer.url}}
    parent = file({"step_id": "kid", "forward_action": {"type": "saga", "definition": child}}, step("z"))
    done = manage("saga", "start", parent, "--workflow-id", "w1", "--wait")
    assert done.returncode == 1 and "compensating" in done.stdout
    assert "child run 'w1.kid.1' (needs_attention)" in done.stdout and "done-by-hand" in done.stdout


def test_a_saga_that_rolls_back_exits_1(manage: Manage, file: Callable[..., str], peer: Peer) -> None:
    peer.behave("/things/b", 422)
    done = manage("saga", "start", file(step("a"), step("b")), "--wait", "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["status"] == "rolled_back"


@pytest.mark.parametrize(
    ("text", "said"),
    [("steps: [", "line"), ("saga_id: x\nsteps: []\n", "steps"), ("a: &b 1\nc: *b\n", ""),
     ("saga_id: x\nsteps: [{step_id: a, forward_action: {type: api_cal}}]\n", "api_call"),
     ("saga_id: x\nsteps: [{step_id: a, forward_action: {type: task, x: '{a.__class__}'}}]\n", "__class__")],
)  # fmt: skip
def test_bad_input_exits_2_and_changes_nothing(manage: Manage, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    done = manage("saga", "start", str(path))
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr
    assert not Run.objects.exists()


def test_a_used_workflow_id(manage: Manage, file: Callable[..., str]) -> None:
    first = file(step("a"))
    assert manage("saga", "start", first, "--workflow-id", "w1", "--wait").returncode == 0
    assert manage("saga", "start", first, "--workflow-id", "w1").returncode == 0
    assert Run.objects.count() == 1
    other = manage("saga", "start", file(step("a"), step("b")), "--workflow-id", "w1")
    assert other.returncode == 2 and "another definition" in other.stderr


def test_temporal_by_name_and_not_there_exits_3(manage: Manage, file: Callable[..., str]) -> None:
    done = manage("saga", "start", file(step("a")), "--engine", "temporal")
    assert done.returncode == 3 and not Run.objects.exists()


def test_a_verb_without_a_terminal_needs_yes(manage: Manage, file: Callable[..., str], peer: Peer) -> None:
    peer.behave("/things/b", 422)
    peer.behave("/things/a", 200, 403)
    assert manage("saga", "start", file(step("a"), step("b")), "--workflow-id", "w1", "--wait").returncode == 1
    answer = ("runs", "resolve", "w1", "--step", "a", "--answer", "accept-loss", "--note", "written off")
    asked = manage(*answer)
    assert asked.returncode == 2 and Run.objects.get().status == "needs_attention"
    assert json.loads(manage(*answer, "--yes", "--json").stdout)["status"] == "rollback_incomplete"
    assert manage("runs", "abort", "w1", "--yes").returncode == 1
    assert manage("runs", "show", "nobody").returncode == 2


def test_a_killed_wait_is_taken_up_by_the_next(
    manage: Manage, file: Callable[..., str], peer: Peer, env: dict[str, str]
) -> None:
    peer.hold("POST", "/things/b")
    path = file(step("a"), step("b"), step("c"))
    command = [sys.executable, "manage.py", "saga", "start", path, "--workflow-id", "w1", "--wait"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as first:
        wait_until(lambda: peer.held("POST", "/things/b"), "step b in flight")
        os.kill(first.pid, signal.SIGKILL)
    peer.let_go()
    wait_until(lambda: not Worker.objects.filter(lease_until__gt=now()).exists(), "the end of its lease")
    done = manage("saga", "start", path, "--workflow-id", "w1", "--wait", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["status"] == "completed"
    assert set(peer.effects.values()) == {1}
    until(Run.objects.get())


def test_a_caution_about_settings_is_not_repeated_by_every_command(manage: Manage, file: Callable[..., str]) -> None:
    done = manage("saga", "validate", file(step("a")))
    assert done.returncode == 0 and "zen." not in done.stderr
    assert "zen.W004" in manage("check").stderr

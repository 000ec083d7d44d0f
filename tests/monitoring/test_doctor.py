"""`manage.py doctor`: the table, the JSON, the exit codes; real servers, dead addresses, silent ones."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from foundation.clock import now
from monitoring.examine import Finding, State, examine, without_password
from monitoring.probes.agents import agents
from monitoring.probes.work import backlog
from orchestration.models import Command, Worker
from orchestration.runs import start_run
from orchestration.workers import lease
from tests.orchestration.agents.endpoints.scenes import added
from tests.orchestration.api.test_runs import SAGA
from tests.support.waiting import PATIENCE_SECONDS
from tests.system.contract.sagas import ADA
from tests.system.crash.workers import ROOT
from zen_project.embedded.ports import free_port

Doctor = Callable[..., tuple[int, dict[str, dict[str, Any]]]]


@pytest.fixture
def doctor(process_env: dict[str, str]) -> Doctor:
    def run(**env: str) -> tuple[int, dict[str, dict[str, Any]]]:
        done = subprocess.run(
            [sys.executable, "manage.py", "doctor", "--json"],
            cwd=ROOT, env=process_env | env, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
        assert done.stdout, done.stderr
        return done.returncode, {part["part"]: part for part in json.loads(done.stdout)["parts"]}

    return run


def test_all_is_well_with_real_servers(doctor: Doctor, temporal_dev_server: str, valkey_url: str) -> None:
    code, parts = doctor(TEMPORAL_ADDRESS=temporal_dev_server, CELERY_BROKER_URL=valkey_url)
    assert code == 0
    assert {name for name, part in parts.items() if part["state"] == "down"} == set()
    assert parts["temporal"]["version"].startswith("temporal 1.") and parts["broker"]["version"].startswith("redis ")
    assert parts["workers"]["state"] == "warning" and "celery -A zen_project worker" in parts["workers"]["remedy"]


def test_a_server_that_is_away_is_exit_3_and_says_what_to_do(doctor: Doctor) -> None:
    gone = f"127.0.0.1:{free_port()}"
    code, parts = doctor(TEMPORAL_ADDRESS=gone, CELERY_BROKER_URL=f"redis://:hunter2@{gone}/0")
    assert code == 3
    for name in ("temporal", "broker"):
        assert parts[name]["state"] == "down" and parts[name]["detail"] and parts[name]["remedy"]
    assert "hunter2" not in json.dumps(parts)


def test_a_namespace_that_is_missing(doctor: Doctor, temporal_dev_server: str) -> None:
    code, parts = doctor(TEMPORAL_ADDRESS=temporal_dev_server, TEMPORAL_NAMESPACE="nowhere")
    assert code == 3 and "namespace create nowhere" in parts["temporal"]["remedy"]


def test_settings_that_contradict_each_other_are_exit_2(doctor: Doctor) -> None:
    code, parts = doctor(ZEN_ENGINE="temporal", TEMPORAL_ADDRESS="")
    assert code == 2 and "TEMPORAL_ADDRESS is not set" in parts["settings"]["detail"]


def test_migrations_that_are_not_applied(doctor: Doctor, tmp_path: object) -> None:
    code, parts = doctor(DATABASE_URL=f"sqlite:///{tmp_path}/new.sqlite3")
    assert code == 3 and parts["database"]["remedy"] == "python manage.py migrate"


def test_a_part_that_never_answers_costs_no_more_than_the_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def hang() -> Finding:
            with socket.create_connection(silent.getsockname()) as to:
                to.recv(1)
            raise AssertionError

        hung, fine = examine({"hung": hang, "fine": lambda: Finding(state=State.OK)}, seconds=0.3)
    assert (hung.part, hung.state) == ("hung", State.DOWN) and "no answer in 0.3 s" in hung.detail
    assert fine.state is State.OK


def test_mail_without_a_server_and_with_one_that_is_away(doctor: Doctor) -> None:
    code, parts = doctor()
    assert parts["mail"]["state"] == "off" and "EMAIL_URL=" in parts["mail"]["remedy"] and code == 0
    gone = free_port()
    code, parts = doctor(EMAIL_URL=f"smtp://ada:hunter2@127.0.0.1:{gone}?tls=none")
    assert parts["mail"]["state"] == "down" and parts["mail"]["configured"] == f"127.0.0.1:{gone}" and code == 3
    assert "hunter2" not in json.dumps(parts)


def test_passwords_are_not_shown() -> None:
    assert without_password("redis://me:p%40ss@host:1/0") == "redis://me:***@host:1/0"
    assert without_password("redis://host/0") == "redis://host/0"


@pytest.mark.django_db(transaction=True)
def test_steps_in_the_hands_of_a_dead_worker_are_said() -> None:
    run, _ = start_run(definition=SAGA, actor=ADA, engine="celery", workflow_id="o-1")
    begun = Command.objects.filter(run=run)
    assert backlog().state is State.OK and begun.exists()
    lease.renew("celery-1")
    lease.renew("temporal-1:t", engine="temporal")
    for alive in ("celery-1", "temporal-1"):
        begun.update(status=Command.RUNNING, worker=alive)
        assert backlog().state is State.OK
    Worker.objects.update(lease_until=now() - timedelta(seconds=1))
    found = backlog()
    assert found.state is State.WARNING and f"{begun.count()} steps begun by a worker that is gone" in found.detail


@pytest.mark.django_db(transaction=True)
def test_remarks_are_said_and_remedies_are_whole(process_env: dict[str, str], tmp_path: Path, doctor: Doctor) -> None:
    gone = f"redis://127.0.0.1:{free_port()}/0"
    env = {"CELERY_BROKER_URL": gone, "DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite3", "COLUMNS": "80"}
    command = [sys.executable, "manage.py", "doctor"]
    seen = subprocess.run(command, cwd=ROOT, env=process_env | env, capture_output=True, text=True, check=False).stdout
    assert "The database is SQLite, and the broker serves several processes." in seen
    assert (
        "→ settings: SQLite lets one process write at a time; for several workers set DATABASE_URL=postgres://…" in seen
    )
    assert "→ broker: start it, or set CELERY_BROKER_URL; runs go on meanwhile, a sweep slower" in seen
    _, parts = doctor(**env)
    assert parts["settings"]["state"] == "ok" and "The database is SQLite" in parts["settings"]["detail"]


@pytest.mark.django_db(transaction=True)
def test_a_machine_without_git_is_told_where_there_are_agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert agents().state is State.OK, "there is no agent"
    added("one")
    found = agents()
    assert found.state is State.WARNING and "git is not on the PATH" in found.detail
    assert "apt-get install git" in found.remedy
    monkeypatch.undo()
    assert agents().state is State.OK

"""What a verb prints is the run after the act, on Temporal too, whose worker writes a moment later."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
from django.db import connection
from django.db.models import F
from pytest_django import Settings

from orchestration.console import settling
from orchestration.console.settling import settled
from orchestration.models import Run
from orchestration.runs import get_run, start_run
from tests.orchestration.api.test_runs import SAGA
from tests.support.peer import serving
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step
from tests.system.crash.workers import ROOT, worker

pytestmark = pytest.mark.django_db(transaction=True)


def written_later(run: Run) -> None:
    time.sleep(0.3)
    Run.objects.filter(pk=run.pk).update(version=F("version") + 1, status="compensating")
    connection.close()


def test_what_is_written_a_moment_later_is_waited_for() -> None:
    before, _ = start_run(definition=SAGA, actor=ADA, engine="celery", workflow_id="o-1")
    writer = threading.Thread(target=written_later, args=(before,))
    writer.start()
    assert settled(get_run("o-1"), before).status == "compensating"
    writer.join()


def test_what_is_not_written_in_time_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(settling, "PATIENCE_SECONDS", 0.0)
    before, _ = start_run(definition=SAGA, actor=ADA, engine="celery", workflow_id="o-1")
    assert settled(get_run("o-1"), before).status == before.status
    assert (
        "the act is stored; what follows is not written yet, see `manage.py runs show o-1`" in capsys.readouterr().err
    )


def test_an_answer_on_temporal_shows_what_became_of_it(
    process_env: dict[str, str], temporal_dev_server: str, settings: Settings
) -> None:
    settings.TEMPORAL_ADDRESS = temporal_dev_server
    with serving() as peer:
        settings.ZEN_OUTBOUND_ALLOW = (peer.address,)
        env = process_env | {"ZEN_OUTBOUND_ALLOW": peer.address, "TEMPORAL_ADDRESS": temporal_dev_server}
        with worker(env, "manage.py", "temporal_worker", engine="temporal"):
            peer.behave("/things/b", 422)
            peer.behave("/things/a", 200, 403)
            run = until(start(peer, "temporal", step("a"), step("b")))
            assert run.status == "needs_attention"
            peer.hold("DELETE", "/things/a")
            words = ("resolve", run.workflow_id, "--step", "a", "--answer", "retry", "--note", "mended", "--yes")
            command = [sys.executable, "manage.py", "runs", *words]
            done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            first = done.stdout.splitlines()[0]
            assert "compensating" in first or "rolled_back" in first, done.stdout
            peer.let_go()
            until(run, lambda found: found.finished_at is not None)

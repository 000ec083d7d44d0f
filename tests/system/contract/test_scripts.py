"""An abort reaches a script that runs, on every engine."""

from __future__ import annotations

import subprocess

from pytest_django import Settings

from orchestration.core.enums import Verb
from orchestration.runs import act
from orchestration.runs.queries import run_view
from tests.support.peer import Peer
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step


def sleeping() -> bool:
    return subprocess.run(["pgrep", "-f", "sleep 98765"], capture_output=True, check=False).stdout != b""


def test_an_abort_kills_a_script_and_undoes_what_it_may_have_done(engine: str, peer: Peer, settings: Settings) -> None:
    settings.ZEN_SCRIPTS = "unsafe"
    script = {"type": "script", "script": "sleep 98765 & sleep 98765"}
    run = start(peer, engine, step("a", forward_action=script, timeout_seconds=600))
    until(run, lambda _: sleeping())
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    view = run_view(until(run))
    assert (view["status"], view["steps"][0]["status"]) == ("rolled_back", "unknown") and not sleeping()
    assert "was cancelled" in str([event.data for event in run.events.all()])
    assert peer.methods("DELETE") == ["/things/a"]

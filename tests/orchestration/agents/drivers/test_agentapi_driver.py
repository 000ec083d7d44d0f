"""The agentapi driver: a server that it starts itself, and what is none."""

from __future__ import annotations

import sys
import threading
import uuid
from pathlib import Path

from orchestration.agents.base import Answer, Ended, EndReason, SessionSpec
from orchestration.agents.drivers.agentapi.driver import AgentApiDriver
from orchestration.agents.drivers.scripted import ROOT
from orchestration.agents.process import strays
from tests.support.peer import Peer

MARK = "ZEN_TEST_AGENTAPI"
SERVER = """\
import sys
from datetime import UTC, datetime
from pathlib import Path
from orchestration.agents.agentapi.conversation import Conversation
from orchestration.agents.agentapi.server import AgentApiServer
from orchestration.agents.base import Sandbox, SessionSpec
from orchestration.agents.drivers.scripted import ScriptedDriver
spec = SessionSpec(cwd=Path.cwd(), prompt="", sandbox=Sandbox(mode="off"))
talk = Conversation(ScriptedDriver(), spec, "GOOSE", now=lambda: datetime.now(UTC), done=lambda: None)
AgentApiServer(talk, int(sys.argv[1]), Path.cwd()).serve_forever()
"""


def hold(spec: SessionSpec) -> Ended:
    return AgentApiDriver().run(spec, on_event=lambda _: None, ask=lambda _: Answer(), cancelled=threading.Event())


def test_a_command_is_started_in_the_worktree_on_a_free_port_and_ended(worktree: Path) -> None:
    mark = uuid.uuid4().hex
    spec = SessionSpec(
        cwd=worktree,
        prompt="Task t1\nGreet the moon.",
        command=(sys.executable, "-P", "-c", SERVER, "{port}"),
        env={"PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "tests.settings", MARK: mark},
    )
    assert AgentApiDriver().check(spec).version == "0.12.1"
    ended = hold(spec)
    assert ended.reason is EndReason.END_TURN and "not a model" in ended.text
    text = (worktree / "t1.md").read_text()
    assert "Greet the moon." in text and f"Work in the folder {worktree}" in text
    assert strays.marked(MARK, mark) == []


def test_without_a_url_and_a_port_it_says_what_to_set(worktree: Path) -> None:
    ended = hold(SessionSpec(cwd=worktree, prompt="x", command=("agentapi", "server")))
    assert ended.reason is EndReason.CRASHED and "{port}" in ended.error and "url" in ended.error


def test_a_server_that_dies_at_its_start_is_told_with_its_last_words(worktree: Path) -> None:
    command = (sys.executable, "-c", "import sys; sys.exit('no such flag')", "{port}")
    ended = hold(SessionSpec(cwd=worktree, prompt="x", command=command))
    assert ended.reason is EndReason.CRASHED and "no such flag" in ended.error


def test_nobody_at_the_url_and_another_server_there_are_told(worktree: Path, peer: Peer) -> None:
    for url in ("http://127.0.0.1:9", peer.url):
        health = AgentApiDriver().check(SessionSpec(cwd=worktree, prompt="", url=url))
        assert not health.installed and health.detail
        assert hold(SessionSpec(cwd=worktree, prompt="x", url=url)).reason is EndReason.CRASHED

"""Whatever an agent says, its attempt's row can be kept, on both databases, and holds no secret."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from pytest_django import Settings

from orchestration.agents.base import Answer, SessionSpec
from orchestration.agents.drivers.over import SessionOver
from orchestration.agents.drivers.session import Session
from orchestration.core.agent.events import Message, SessionStarted, ToolDone
from orchestration.core.agent.session import EndReason, Option, Question
from orchestration.core.agent.verdict import Verdict
from orchestration.execution.agent_step.record import Record
from orchestration.models import AgentAttempt
from tests.orchestration.agents.endpoints import scenes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
SECRET = "sk-a-key-of-the-site"
HOSTILE = f"\x1b[2J\x00\ud800 {SECRET} \u202e"


def nobody(question: Question) -> Answer | None:
    return None


def test_it_is_kept_as_it_can_be_and_without_secrets(settings: Settings, tmp_path: Path) -> None:
    settings.ZEN_SECRETS = {"MODEL_KEY": SECRET}
    run, endpoint = scenes.run(), scenes.added()
    record = Record.begun(scenes.attempt(run), endpoint, branch="zen/r/a", base="0" * 40)
    spec = SessionSpec(cwd=tmp_path, prompt="", secrets=(SECRET,))
    session = Session(spec, on_event=record.tell, ask=nobody, cancelled=threading.Event())
    options = (Option(id=HOSTILE, label=HOSTILE, allows=True),)
    session.tell(SessionStarted(session_id=HOSTILE, agent=HOSTILE, version=HOSTILE, model=HOSTILE))
    session.tell(Message(text=HOSTILE))
    session.tell(ToolDone(tool_id=HOSTILE, name=HOSTILE, succeeded=False, output=HOSTILE * 1000))
    with pytest.raises(SessionOver) as over:
        session.put(Question(id=HOSTILE, kind="permission", text=HOSTILE, tool=HOSTILE, options=options))
    session.denied.append(HOSTILE)
    ended = session.ended(over.value)
    assert ended.reason is EndReason.SUSPENDED
    record.session_ended(ended)
    record.judged(Verdict.DENIED, [f"it asked: {ended.question.text if ended.question else ''}"])
    row = AgentAttempt.objects.get()
    kept = str([getattr(row, field.attname) for field in AgentAttempt._meta.fields])
    assert SECRET not in kept and "\\x00" not in kept and "\\ud800" not in kept and "[redacted]" in str(row.question)

"""`manage.py agentapi`: what it refuses to serve."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from foundation.models import AuditEvent
from orchestration.management.commands import agentapi
from tests.orchestration.agents.endpoints.scenes import added


@pytest.mark.django_db(transaction=True)
def test_what_it_cannot_serve_is_refused_with_the_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        ([], "--endpoint NAME"),
        (["--endpoint", "nobody"], "nobody"),
        (["--session", "lost"], "give --endpoint too"),
    ):
        with pytest.raises(CommandError) as refused:
            call_command("agentapi", *words)
        assert refused.value.returncode in (2, 4) and said in capsys.readouterr().err


@pytest.mark.django_db(transaction=True)
def test_who_serves_which_agent_where_is_in_the_audit(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    added("one")
    served: list[Any] = []
    monkeypatch.setattr(agentapi, "_serve", lambda *given: served.append(given))
    call_command("agentapi", "--endpoint", "one", "--cwd", str(tmp_path))
    row = AuditEvent.objects.get(action="agent.serve")
    assert served and (row.workflow_id, row.data["agent"], row.data["folder"]) == ("agents", "one", str(tmp_path))

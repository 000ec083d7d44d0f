"""Endpoints and sessions of agents are shown to whoever may look, and changed by nobody here."""

from __future__ import annotations

import pytest
from django.test import Client

from foundation.clock import now
from orchestration.agents.endpoints import lease
from orchestration.core.agent.agent_type import AgentType
from orchestration.models import AgentAttempt, AgentEndpoint
from tests.orchestration.admin.visitor import person
from tests.orchestration.agents.endpoints.scenes import added, attempt, run

pytestmark = pytest.mark.django_db(transaction=True)


def test_lists_and_pages_open_for_a_viewer_and_offer_no_change() -> None:
    row, of = added("one", env={"API_KEY": "{secret:API_KEY}"}, concurrency=2), run()
    lease.take(AgentType.CLAUDE, attempt(of))
    AgentEndpoint.objects.update(health="out_of_service", health_error="<b>Not logged in</b>")
    session = AgentAttempt.objects.create(
        run=of, step_id="a", iteration=1, attempt=1, claim=1, agent_type="CLAUDE", endpoint=row, endpoint_name="one",
        started_at=now(), verdict="lied", facts=["the check `x` did not pass"], text="all <i>green</i>",
    )  # fmt: skip
    client = Client()
    client.force_login(person("viewer"))
    listed = client.get("/admin/orchestration/agentendpoint/").content.decode()
    assert "1 of 2" in listed and "out of service" in listed and "&lt;b&gt;Not logged in" in listed
    page = client.get(f"/admin/orchestration/agentendpoint/{row.pk}/change/").content.decode()
    assert "{secret:API_KEY}" in page and 'name="_save"' not in page
    assert "lied" in client.get("/admin/orchestration/agentattempt/").content.decode()
    page = client.get(f"/admin/orchestration/agentattempt/{session.pk}/change/").content.decode()
    assert "a by one: lied" in page and f"{of.pk}:a:1:1" not in page, "it is named in words"
    assert "did not pass" in page and "<i>green</i>" not in page and 'name="_save"' not in page
    assert client.get("/admin/orchestration/agentendpoint/add/").status_code == 403


def test_nobody_without_a_role_sees_them() -> None:
    added("one")
    client = Client()
    client.force_login(person("nobody"))
    assert client.get("/admin/orchestration/agentendpoint/").status_code == 403

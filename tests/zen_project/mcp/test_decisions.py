"""A decision is of the person whose token it is, once, and of what was looked at; an agent decides nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import Settings

from approvals.models import Vote
from foundation.models import ApiToken
from tests.support.mcp_clients import answer, in_process, problems
from tests.zen_project.mcp.conftest import Person

pytestmark = pytest.mark.django_db(transaction=True)
ASKED = {"stage": "deployment", "description": "Ready?", "approvers": ["dora"], "request_id": "a-1", "engine": "celery"}


@pytest.fixture
def dora(person: Callable[..., Person]) -> Person:
    """Who decides what an operator has asked for."""
    person("approver", "dora")
    ada = person("operator", "ada")
    assert answer(ada.tools, "request_approval", **ASKED)["approval_id"] == "a-1"
    assert answer(ada.tools, "request_approval", **ASKED)["request_id"] == "a-1"  # the same request
    (told,) = problems(ada.tools, "decide_approval", request_id="a-1", decision="reject")
    assert told["problem"].startswith("the requester, ") and not Vote.objects.exists()
    return person("approver", "eve")


def test_who_is_not_asked_does_not_decide_and_who_is_does_once(
    dora: Person, person: Callable[..., Person], settings: Settings
) -> None:
    (told,) = problems(dora.tools, "decide_approval", request_id="a-1", decision="reject")  # eve's
    assert not Vote.objects.exists() and told["problem"]
    user = ApiToken.objects.get(user__username="dora").user
    settings.ZEN_MCP_TOKEN = ApiToken.issue(user)[1]
    tools = in_process()
    shown = answer(tools, "get_approval", request_id="a-1")
    assert "approve" in shown["allowed_actions"]
    (told,) = problems(tools, "decide_approval", request_id="a-1", decision="approve")
    assert told["field"] == "seen"
    (told,) = problems(tools, "decide_approval", request_id="a-1", decision="approve", seen="another")
    assert told["problem"] and not Vote.objects.exists()
    decided = answer(tools, "decide_approval", request_id="a-1", decision="approve", seen=shown["content_hash"])
    assert decided["status"] == "approved" and decided["decided_by"] == "dora"
    again = answer(tools, "decide_approval", request_id="a-1", decision="approve", seen=shown["content_hash"])
    assert again["status"] == "approved"
    vote = Vote.objects.get()
    assert vote.user_id == user.pk and vote.strength == "token"


def test_an_agent_of_an_approver_decides_nothing(dora: Person, settings: Settings) -> None:
    user = ApiToken.objects.get(user__username="dora").user
    settings.ZEN_MCP_TOKEN = ApiToken.issue(user, agent=True)[1]
    shown = answer(in_process(), "get_approval", request_id="a-1")
    (told,) = problems(
        in_process(), "decide_approval", request_id="a-1", decision="approve", seen=shown["content_hash"]
    )
    assert "no agent has" in told["remedy"] and not Vote.objects.exists()

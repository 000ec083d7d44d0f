"""The official client finds the same tools over both transports, and gets the same answers as from REST."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from django.contrib.auth.models import Group, User
from mcp import Client
from mcp_types import CallToolResult

from foundation.models import ApiToken
from tests.support.mcp_clients import Site, Target, over_http, over_stdio, site, talk

pytestmark = pytest.mark.django_db(transaction=True)
SAGA = {"saga_id": "order", "steps": [{"step_id": "first", "forward_action": {"type": "wait", "seconds": 600}}]}


def token_of(role: str, name: str = "") -> str:
    user = User.objects.create_user(name or f"{role}1")
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    return ApiToken.issue(user)[1]


async def used(client: Client) -> tuple[list[Any], list[CallToolResult]]:
    """What it lists, and a run that is started, held and looked at."""
    tools = (await client.list_tools()).tools
    calls: list[tuple[str, dict[str, Any]]] = [
        ("start_saga", {"definition": SAGA, "workflow_id": "o-1", "engine": "celery"}),
        ("get_run", {"workflow_id": "o-1"}),
        ("get_run", {"workflow_id": "none"}),
    ]
    return tools, [await client.call_tool(name, given) for name, given in calls]


def test_both_transports_serve_the_same_tools_and_the_same_answers(process_env: dict[str, str]) -> None:
    token = token_of("operator")
    env = process_env | {"ZEN_ENGINE": "celery"}
    with site(env) as served:
        targets: list[Target] = [
            over_http(served.url, token),
            over_http(served.url, token, mode="legacy"),
            over_stdio(env, token),
        ]
        said = [talk(target, used) for target in targets]
        shown = _rest(served, token, "runs/o-1/")
    (tools, (started, run, none)), *others = said
    assert all(other[0] == tools for other in others) and len(tools) > 20
    assert run.structured_content == started.structured_content == shown
    assert none.is_error and none.structured_content is not None
    assert none.structured_content["problems"][0]["problem"] == "there is no run 'none'"
    assert all(
        [one.structured_content for one in other[1]] == [shown, shown, none.structured_content] for other in others
    )


def _rest(served: Site, token: str, path: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.get(f"{served.url}/api/v1/{path}", headers=headers).json()

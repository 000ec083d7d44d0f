"""What stands before the tools over HTTP: the token, the host, the origin, the size, the number of requests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from django.contrib.auth.models import Group, User
from mcp import Client
from mcp_types import CallToolResult
from pytest_django import Settings

from foundation.clock import now
from foundation.models import ApiToken
from orchestration.models import Run
from tests.support.mcp_clients import Site, site, talk
from tests.system.crash.workers import ROOT
from tests.zen_project.mcp.conftest import Person

pytestmark = pytest.mark.django_db(transaction=True)
BODY = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_runs", "arguments": {}}}
PLAIN = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}


@pytest.fixture
def served(process_env: dict[str, str]) -> Iterator[Site]:
    env = process_env | {"ZEN_API_RATE_PER_TOKEN": "20", "ZEN_API_BAD_TOKENS_PER_ADDRESS": "8"}
    with site(env) as found:
        yield found


def post(served: Site, token: str = "", body: Any = BODY, **headers: str) -> httpx2.Response:
    said = PLAIN | ({"Authorization": f"Bearer {token}"} if token else {}) | headers
    return httpx2.post(f"{served.url}/mcp", json=body, headers=said)


def test_who_is_not_known_or_comes_from_elsewhere_reaches_no_tool(served: Site) -> None:
    user = User.objects.create_user("ada")
    user.groups.add(Group.objects.get_or_create(name="operator")[0])
    token, over = ApiToken.issue(user)[1], ApiToken.issue(user, expires_at=now() - timedelta(seconds=1))[1]

    metadata = f"{served.url}/.well-known/oauth-protected-resource/mcp"
    for wrong in ("", "zen_abc_def", over, "ä"):
        refused = post(served, wrong) if wrong.isascii() else post(served, Authorization="Bearer x y")
        assert refused.status_code == 401, refused.text
        assert f'resource_metadata="{metadata}"' in refused.headers["WWW-Authenticate"]
    told = httpx2.get(metadata).json()
    assert told["resource"] == f"{served.url}/mcp" and told["bearer_methods_supported"] == ["header"]

    stranger = post(served, token, Host="evil.example.com")
    assert stranger.status_code == 421 and "ZEN_ALLOWED_HOSTS" in stranger.json()["detail"]
    page = post(served, token, Origin="http://evil.example.com")
    assert page.status_code == 403 and "ZEN_TRUSTED_ORIGINS" in page.json()["detail"]
    assert post(served, token, Origin=served.url).status_code == 200

    large = BODY | {"params": {"name": "start_saga", "arguments": {"context": {"text": "x" * 5 * 1024**2}}}}
    assert post(served, token, large).status_code == 413
    assert not Run.objects.exists()

    answers = [post(served, token).text for _ in range(25)]
    assert '"isError":true' not in answers[0]
    assert "this token has made 20 requests within a minute" in answers[-1] and '"isError":true' in answers[-1]

    guesses = [post(served, "zen_abc_def") for _ in range(10)]
    assert guesses[-1].status_code == 429 and int(guesses[-1].headers["Retry-After"]) > 0
    assert httpx2.get(f"{served.url}/livez").status_code == 200


def test_a_thousand_calls_a_minute_are_more_than_a_token_has(person: Callable[..., Person], settings: Settings) -> None:
    shipped = "from zen_project import settings; print(settings.ZEN_MCP_RATE_PER_TOKEN)"
    env = {name: value for name, value in os.environ.items() if name != "ZEN_MCP_RATE_PER_TOKEN"}
    told = subprocess.run(
        [sys.executable, "-c", shipped], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert int(told.stdout) < 1000
    settings.ZEN_MCP_RATE_PER_TOKEN = 3
    ada = person("operator", "ada")

    async def often(client: Client) -> list[CallToolResult]:
        found = [await client.call_tool("list_runs", {}) for _ in range(8)]
        return [one for one in found if isinstance(one, CallToolResult)]

    last = talk(ada.tools, often)[-1]
    assert last.is_error and last.structured_content is not None
    (why,) = last.structured_content["problems"]
    assert why["problem"] == "this token has made 3 requests within a minute over MCP" and "seconds" in why["remedy"]
    assert ada.rest.get("/api/v1/runs/").status_code == 200, "over REST it has not made them"

"""How soon MCP tells of a run, beside REST, from one site in a process of its own, asked by one HTTP client.

Argument: how often each is asked, in turns. Prints one JSON object: medians in seconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import anyio
import django
import httpx2
from django.core.management import call_command

WARM = 20
STEPS = 20
PATIENCE_SECONDS = 120.0
VERSION, ACCEPT = "2026-07-28", "application/json, text/event-stream"


@contextlib.contextmanager
def site() -> Iterator[str]:
    """A web process on this database, once it answers."""
    from zen_project.embedded.ports import free_port

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    limits = dict.fromkeys(("ZEN_API_RATE_PER_TOKEN", "ZEN_API_RATE_PER_ADDRESS", "ZEN_MCP_RATE_PER_TOKEN"), "1000000")
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "zen_project.asgi:application",
        "--port",
        str(port),
        "--log-level",
        "error",
    ]
    process = subprocess.Popen([*command, "--no-proxy-headers"], env=os.environ | limits | {"ZEN_PUBLIC_URL": url})
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx2.TransportError):
                if httpx2.get(f"{url}/livez").status_code == 200:
                    break
            time.sleep(0.05)
        yield url
    finally:
        process.kill()
        process.wait()


def prepared() -> str:
    """A run of some steps, and a token that may look at it."""
    from django.contrib.auth.models import Group, User

    from foundation.identity.actor import Actor
    from foundation.models import ApiToken
    from orchestration.runs import start_run

    user = User.objects.create_user("ada")
    user.groups.add(Group.objects.get_or_create(name="operator")[0])
    actor = Actor(name="ada", door="python", roles=frozenset({"operator"}), user_id=user.pk)
    steps = [{"step_id": f"s{n}", "forward_action": {"type": "wait", "seconds": 600}} for n in range(STEPS)]
    start_run(definition={"saga_id": "asked", "steps": steps}, actor=actor, workflow_id="asked-1", engine="celery")
    return ApiToken.issue(user)[1]


async def timed(ask: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await ask()
    return time.perf_counter() - began


def call(tool: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The body and the headers of a call as clients of 2026-07-28 send it."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientInfo": {"name": "benchmark", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    headers = {"MCP-Protocol-Version": VERSION, "Mcp-Method": "tools/call", "Mcp-Name": tool, "Accept": ACCEPT}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}, headers


async def measured(url: str, token: str, times: int) -> dict[str, Any]:
    """All three in turns, so that whatever else the machine does falls on each alike; until the JSON is read."""
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_SECONDS) as client:

        async def by_rest() -> None:
            found = (await client.get(f"{url}/api/v1/runs/asked-1/")).json()
            assert found["workflow_id"] == "asked-1", found

        async def by_tool(name: str, asked: dict[str, Any]) -> None:
            body, headers = call(name, asked)
            found = (await client.post(f"{url}/mcp", json=body, headers=headers)).json()
            assert found["result"]["structuredContent"]["workflow_id"] == "asked-1", found

        ways: dict[str, Callable[[], Awaitable[None]]] = {
            "rest": by_rest,
            "get_run": partial(by_tool, "get_run", {"workflow_id": "asked-1"}),
            "status": partial(by_tool, "workflow_orchestrator", {"operation": "status", "workflow_id": "asked-1"}),
        }
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(WARM + times):
            for name, ask in ways.items():
                seconds = await timed(ask)
                if turn >= WARM:
                    taken[name].append(seconds)
    return {name: statistics.median(found) for name, found in taken.items()}


def main(times: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zen_project.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    token = prepared()
    with site() as url:
        print(json.dumps(anyio.run(measured, url, token, times)))


if __name__ == "__main__":
    main(int(sys.argv[1]))

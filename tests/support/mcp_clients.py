"""The official client of MCP, against a real site, a real `manage.py mcp`, or a server in this process."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio
import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult

from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.crash.workers import ROOT, WorkerProcess
from zen_project.embedded.ports import free_port

Talked = TypeVar("Talked")
Target = Callable[[], contextlib.AbstractAsyncContextManager[Client]]


@dataclass
class Site:
    """A site in a process of its own."""

    url: str
    process: WorkerProcess = field(repr=False)


@contextmanager
def site(env: dict[str, str], application: str = "zen_project.asgi:application", *, workers: int = 1) -> Iterator[Site]:
    """`uvicorn`, with so many processes at one address, once it answers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    arguments: tuple[str, ...] = ("-m", "uvicorn", application, "--port", str(port), "--no-proxy-headers")
    if workers > 1:  # one that the machine lets wait is not unwell
        arguments += ("--workers", str(workers), "--timeout-worker-healthcheck", str(int(PATIENCE_SECONDS)))
    process = WorkerProcess(env | {"ZEN_PUBLIC_URL": url}, *arguments)

    def is_up() -> bool:
        assert process.process.poll() is None, process.output()
        with contextlib.suppress(httpx2.TransportError):
            return httpx2.get(f"{url}/livez").status_code == 200
        return False

    try:
        wait_until(is_up, process.output)
        yield Site(url, process)
    finally:
        process.stop()


def over_http(url: str, token: str, **options: Any) -> Target:
    """A client of the site at `url`, with an API token. `options`: of the client, such as `mode="legacy"`."""

    @asynccontextmanager
    async def connected() -> AsyncIterator[Client]:
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE_SECONDS) as http:
            transport = streamable_http_client(f"{url}/mcp", http_client=http)
            async with Client(transport, read_timeout_seconds=PATIENCE_SECONDS, **options) as client:
                yield client

    return connected


def over_stdio(env: dict[str, str], token: str = "", **options: Any) -> Target:
    """A client that starts `manage.py mcp`, for the person of an API token or for the console."""
    env = env | ({"ZEN_MCP_TOKEN": token} if token else {})
    server = StdioServerParameters(command=sys.executable, args=["manage.py", "mcp"], env=env, cwd=str(ROOT))
    return lambda: Client(server, read_timeout_seconds=PATIENCE_SECONDS, **options)


def in_process(**options: Any) -> Target:
    """A client of a server in this process; ZEN_MCP_TOKEN of the settings says who calls."""

    @asynccontextmanager
    async def connected() -> AsyncIterator[Client]:
        from zen_project.mcp.server import make_server

        async with Client(make_server(with_tokens=False), **options) as client:
            yield client

    return connected


def talk(target: Target, say: Callable[[Client], Awaitable[Talked]]) -> Talked:
    """What `say` returns, said over one connection."""

    async def connected() -> Talked:
        async with target() as client:
            return await say(client)

    return anyio.run(connected)


def refusal(target: Target, say: Callable[[Client], Awaitable[object]]) -> MCPError:
    """The error of the protocol that what `say` asks for is refused with."""

    async def refused(client: Client) -> MCPError:
        try:
            found = await say(client)
        except MCPError as error:
            return error
        raise AssertionError(f"it was not refused: {found}")

    return talk(target, refused)


def call(target: Target, name: str, **arguments: Any) -> CallToolResult:
    """The result of one tool, over a connection of its own."""

    async def one(client: Client) -> CallToolResult:
        found = await client.call_tool(name, arguments)
        assert isinstance(found, CallToolResult)
        return found

    return talk(target, one)


def answer(target: Target, name: str, **arguments: Any) -> dict[str, Any]:
    """The JSON of a tool's answer, which must be none of refusal."""
    found = call(target, name, **arguments)
    assert not found.is_error, found.content
    assert isinstance(found.structured_content, dict)
    return found.structured_content


def problems(target: Target, name: str, **arguments: Any) -> list[dict[str, str]]:
    """The problems of a refusal, which the tool's result must be."""
    found = call(target, name, **arguments)
    assert found.is_error and isinstance(found.structured_content, dict), found
    told: list[dict[str, str]] = found.structured_content["problems"]
    return told

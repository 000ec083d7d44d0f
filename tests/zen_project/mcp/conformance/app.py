"""The site with what the conformance suites ask for beside Zen's own tools, for a process of its own.

Everything before, around and behind a tool is the site's: hosts, origins, tokens, limits, tasks. The suites cannot send
a token, so this door puts in the one of ZEN_TEST_MCP_TOKEN where there is none.
"""

from __future__ import annotations

import os
from typing import Any

from zen_project import asgi  # it sets Django up, for what is imported later

TOKEN = os.environ["ZEN_TEST_MCP_TOKEN"]


def made() -> Any:
    """The site, whose MCP server has the fixtures, too."""
    from tests.zen_project.mcp.conformance import gates, plain
    from zen_project.mcp import http, server
    from zen_project.mcp.sdk import ZenServer
    from zen_project.mcp.tasks import extension
    from zen_project.web.bodies import AsgiLimit

    def with_fixtures(*, with_tokens: bool) -> ZenServer:
        found = server.make_server(with_tokens=with_tokens)
        plain.add_to(found)
        gates.add_to(found)
        return found

    extension.STARTS |= {name: {} for name in gates.STARTS}
    setattr(http, "make_server", with_fixtures)  # noqa: B010 - it is no name that others may import
    return http.WithMcp(AsgiLimit(asgi.django_application))


site = made()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """ASGI: the site, with a token where a request has none."""
    if scope["type"] == "http" and not any(name == b"authorization" for name, _ in scope["headers"]):
        scope = {**scope, "headers": [*scope["headers"], (b"authorization", f"Bearer {TOKEN}".encode())]}
    await site(scope, receive, send)

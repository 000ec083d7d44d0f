"""The SDK's server, with handlers of ours where its own know no caller, no cursor and no row."""

from __future__ import annotations

from typing import Any

from mcp.server import MCPServer
from mcp.server.extension import RequestHandler
from pydantic import BaseModel

Handler = tuple[str, type[BaseModel], RequestHandler]
"""A method of the protocol, the model of its parameters, and what answers it."""


class ZenServer(MCPServer[Any]):
    """Tools as the SDK has them; other methods by `serve`."""

    def serve(self, *handlers: Handler) -> None:
        """Let each of these answer its method, instead of the SDK's own."""
        for method, parameters, handler in handlers:
            self._lowlevel_server.add_request_handler(method, parameters, handler)

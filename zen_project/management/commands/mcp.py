"""`manage.py mcp`: an MCP server over stdin and stdout, for the client that starts it, until it hangs up."""

from __future__ import annotations

import anyio
import typer

from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import BAD_INPUT, guarded, note


class Command(ConsoleCommand):
    help = "Serve MCP over stdin and stdout, as the person of ZEN_MCP_TOKEN or with this console's rights."

    @guarded
    def handle(self) -> None:
        try:
            from zen_project.mcp import identity, server  # noqa: PLC0415 - the extra may be missing
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
                raise
            note("zen: the MCP SDK is missing\n     pip install 'zen-orchestration[mcp]'")
            raise typer.Exit(BAD_INPUT) from None
        identity.caller_now()  # a wrong token is told now, and not at each call
        anyio.run(server.make_server(with_tokens=False).run_stdio_async)

"""The server object: its name, its tools, what stands before every message."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.conf import settings
from mcp.server.auth.settings import AuthSettings
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult
from pydantic import AnyHttpUrl, Field

from foundation.api.limits import pause_of_calls, pause_of_token
from foundation.errors import TooSoon
from zen_project.mcp.calls import answered, refused
from zen_project.mcp.identity import SiteTokens, token_now
from zen_project.mcp.prompts import handlers as prompts
from zen_project.mcp.registry import Entry
from zen_project.mcp.resources import handlers as resources
from zen_project.mcp.schemas import or_refusal
from zen_project.mcp.sdk import ZenServer
from zen_project.mcp.subscriptions.handlers import LISTEN, OverStdio
from zen_project.mcp.tasks.extension import RunTasks
from zen_project.mcp.threads import in_thread
from zen_project.mcp.tools import ENTRIES

NAME = "zen"
PATH = "/mcp"
TOO_MANY_REQUESTS = -32029

INSTRUCTIONS = """\
Zen runs sagas and multi-agent projects durably, and asks people at gates. Start with list_runs or dashboard; \
explain_run says why a run stands where it stands. A run that waits for an approval waits for a person: tell your \
user, and look again later. preview_act says what an act would undo before you use it. An answer \
with proposed: true is not done yet: people decide it first, and get_approval says under act what became of it."""


class ServiceTool(Tool):
    """A tool of the SDK whose call is ours from its arguments to its answer."""

    entry: Any = Field(exclude=True)

    @property
    def output_schema(self) -> dict[str, Any] | None:
        """What its answer is described by, and a refusal."""
        return or_refusal(self.entry.answers)

    async def run(
        self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False
    ) -> CallToolResult:
        """The SDK's hook for a call."""
        return await answered(self.entry, arguments, context)


def tool_of(entry: Entry[Any]) -> Tool:
    """The SDK's tool of an entry."""
    return ServiceTool(
        fn=entry.do,
        name=entry.name,
        title=entry.title,
        description=entry.description,
        parameters=entry.arguments.model_json_schema(),
        fn_metadata=FuncMetadata(arg_model=ArgModelBase),
        is_async=False,
        context_kwarg=None,
        annotations=entry.annotations,
        entry=entry,
    )


def make_server(*, with_tokens: bool) -> ZenServer:
    """A server with all tools, resources and prompts. `with_tokens`: over HTTP, where only a token says who calls."""
    place = f"{settings.ZEN_PUBLIC_URL}{PATH}"
    auth = AuthSettings(
        issuer_url=AnyHttpUrl(settings.ZEN_PUBLIC_URL), resource_server_url=AnyHttpUrl(place),
        validate_token_resource=False,  # a token of this site is for this site
    )  # fmt: skip
    server = ZenServer(
        NAME,
        title="Zen",
        instructions=INSTRUCTIONS,
        website_url=settings.ZEN_PUBLIC_URL,
        version=_version(),
        tools=[tool_of(entry) for entry in ENTRIES],
        middleware=[within_the_rate],
        extensions=[RunTasks()],
        subscriptions=False,
        **({"auth": auth, "token_verifier": SiteTokens()} if with_tokens else {}),  # type: ignore[arg-type]
    )
    server.serve(*resources.HANDLERS, *prompts.HANDLERS, LISTEN, *(() if with_tokens else OverStdio().handlers))
    return server


async def within_the_rate(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Counts each request for its token, beside those to the API; past the limit it is refused, unseen."""
    error = await in_thread(_too_many) if ctx.request_id is not None else None
    if error is None:
        return await call_next(ctx)
    if ctx.method == "tools/call":
        return refused(error)
    raise MCPError(TOO_MANY_REQUESTS, error.in_words(), {"retry_after": error.retry_after})


def _too_many() -> TooSoon | None:
    token = token_now()
    if token is None:
        return None
    for pause, most, where in (
        (pause_of_calls(token.pk), settings.ZEN_MCP_RATE_PER_TOKEN, " over MCP"),
        (pause_of_token(token.pk), settings.ZEN_API_RATE_PER_TOKEN, ""),
    ):
        if pause:
            words = f"this token has made {most} requests within a minute{where}"
            return TooSoon(words, field="token", remedy=f"wait {int(pause)} seconds", retry_after=int(pause))
    return None


def _version() -> str:
    try:
        return version("zen-orchestration")
    except PackageNotFoundError:  # a checkout
        return ""

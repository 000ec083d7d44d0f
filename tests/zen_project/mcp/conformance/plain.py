"""Tools, resources and prompts that the suites expect of any server: they try the SDK, and the doors before it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import mcp_types as types
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    EmbeddedResource,
    GetPromptRequestParams,
    GetPromptResult,
    ImageContent,
    PaginatedRequestParams,
    PromptMessage,
    PromptReference,
    ReadResourceRequestParams,
    ReadResourceResult,
    TextContent,
    TextResourceContents,
)

from zen_project.mcp.prompts import handlers as prompts
from zen_project.mcp.resources import handlers as resources
from zen_project.mcp.sdk import ZenServer

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
WAV = base64.b64encode(b"RIFF\x24\x00\x00\x00WAVEfmt ").decode()

TEXT = TextContent(type="text", text="This is a simple text response for testing.")
IMAGE = ImageContent(type="image", data=PNG, mime_type="image/png")
AUDIO = AudioContent(type="audio", data=WAV, mime_type="audio/wav")


def _embedded(uri: str) -> EmbeddedResource:
    return EmbeddedResource(resource=TextResourceContents(uri=uri, text="Embedded.", mime_type="text/plain"))


def greet(name: str) -> str:
    """Greet."""
    return f"Hello, {name}!"


def test_simple_text() -> list[TextContent]:
    """A text."""
    return [TEXT]


def test_image_content() -> list[ImageContent]:
    """An image."""
    return [IMAGE]


def test_audio_content() -> list[AudioContent]:
    """A sound."""
    return [AUDIO]


def test_embedded_resource() -> list[EmbeddedResource]:
    """A resource."""
    return [_embedded("test://embedded-resource")]


def test_multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
    """Of each one."""
    return [TEXT, IMAGE, _embedded("test://mixed-content-resource")]


def test_error_handling() -> str:
    """An error."""
    raise ToolError("This tool intentionally returns an error for testing")


async def test_tool_with_progress(ctx: Context[Any, Any]) -> str:
    """Progress."""
    for done in (0, 50, 100):
        await ctx.report_progress(done, 100, f"{done} of 100")
    return "done"


TOOLS: tuple[Callable[..., Any], ...] = (
    greet, test_simple_text, test_image_content, test_audio_content, test_embedded_resource,
    test_multiple_content_types, test_error_handling, test_tool_with_progress,
)  # fmt: skip


async def read(ctx: Any, params: ReadResourceRequestParams) -> ReadResourceResult:
    """Resources of the suites, else Zen's."""
    uri = str(params.uri)
    if uri == "test://static-binary":
        return ReadResourceResult(contents=[BlobResourceContents(uri=uri, blob=PNG, mime_type="image/png")])
    texts = {"test://static-text": "Static.", "test://template/123/data": json.dumps({"id": "123"})}
    if uri in texts:
        return ReadResourceResult(contents=[TextResourceContents(uri=uri, text=texts[uri], mime_type="text/plain")])
    return await resources.contents(ctx, params)


PROMPTS: dict[str, tuple[str, ...]] = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
}


async def listed_prompts(ctx: Any, params: PaginatedRequestParams) -> types.ListPromptsResult:
    """Prompts of the suites, and Zen's."""
    own = (await prompts.listed(ctx, params)).prompts
    more = [
        types.Prompt(
            name=name,
            description="Of the suites.",
            arguments=[types.PromptArgument(name=one, description="Any text.", required=True) for one in arguments],
        )
        for name, arguments in PROMPTS.items()
    ]
    return types.ListPromptsResult(prompts=[*own, *more])


async def written(ctx: Any, params: GetPromptRequestParams) -> GetPromptResult:
    """Prompts of the suites, else Zen's."""
    if params.name not in PROMPTS:
        return await prompts.written(ctx, params)
    given = params.arguments or {}
    content: Any = TextContent(type="text", text=f"This is a prompt: {given}")
    if params.name == "test_prompt_with_image":
        content = IMAGE
    if params.name == "test_prompt_with_embedded_resource":
        content = _embedded(given["resourceUri"])
    return GetPromptResult(messages=[PromptMessage(role="user", content=content)])


async def completed(ctx: Any, params: CompleteRequestParams) -> CompleteResult:
    """Completions of the suites' prompt, else Zen's."""
    if isinstance(params.ref, PromptReference) and params.ref.name in PROMPTS:
        return CompleteResult(completion=Completion(values=["testValue"], has_more=False))
    return await prompts.completed(ctx, params)


def add_to(server: ZenServer) -> None:
    """Add them to a server."""
    for tool in TOOLS:
        server.add_tool(tool, structured_output=False)
    server.serve(
        ("resources/read", ReadResourceRequestParams, read),
        ("prompts/list", PaginatedRequestParams, listed_prompts),
        ("prompts/get", GetPromptRequestParams, written),
        ("completion/complete", CompleteRequestParams, completed),
    )

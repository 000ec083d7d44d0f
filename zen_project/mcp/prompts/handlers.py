"""The protocol's methods on prompts, and completions of ids."""

from __future__ import annotations

from typing import Any

from mcp.server.context import ServerRequestContext
from mcp_types import (
    CompleteRequestParams,
    CompleteResult,
    Completion,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    PaginatedRequestParams,
    Prompt,
    ResourceTemplateReference,
)

from foundation.errors import NotFound
from zen_project.mcp.identity import Caller
from zen_project.mcp.prompts.entries import ENTRIES, Entry
from zen_project.mcp.protocol import asked
from zen_project.mcp.resources.ids import beginning_with
from zen_project.mcp.resources.uris import TEMPLATES, Kind
from zen_project.mcp.sdk import Handler

BY_NAME = {entry.name: entry for entry in ENTRIES}


async def listed(ctx: ServerRequestContext[Any, Any], params: PaginatedRequestParams) -> ListPromptsResult:
    """`prompts/list`."""
    found = [
        Prompt(name=one.name, title=one.title, description=one.description, arguments=one.shown) for one in ENTRIES
    ]
    return ListPromptsResult(prompts=found)


async def written(ctx: ServerRequestContext[Any, Any], params: GetPromptRequestParams) -> GetPromptResult:
    """`prompts/get`."""

    def write(caller: Caller) -> GetPromptResult:
        entry = _called(params.name)
        given = entry.arguments.read(dict(params.arguments or {}))
        return GetPromptResult(description=entry.description, messages=entry.write(caller, given.model_dump()))

    return await asked(write)


async def completed(ctx: ServerRequestContext[Any, Any], params: CompleteRequestParams) -> CompleteResult:
    """`completion/complete`."""

    def complete(caller: Caller) -> CompleteResult:
        kind = _kind(params)
        values, more = beginning_with(kind, params.argument.value) if kind is not None else ([], False)
        return CompleteResult(completion=Completion(values=values, has_more=more))

    return await asked(complete)


def _called(name: str) -> Entry:
    found = BY_NAME.get(name)
    if found is None:
        raise NotFound(f"there is no prompt '{name[:100]}'", field="name", remedy=f"one of: {', '.join(BY_NAME)}")
    return found


def _kind(params: CompleteRequestParams) -> Kind | None:
    """Of what ids are asked for; None where the argument is none, or is free text.

    Raises:
        NotFound: there is no such prompt, or no such template.
    """
    ref, name = params.ref, params.argument.name
    if not isinstance(ref, ResourceTemplateReference):
        return dict(_called(ref.name).ids).get(name)
    for one in TEMPLATES:
        if one.uri == ref.uri:
            return one.kind if one.argument == name else None
    raise NotFound(f"there is no template '{ref.uri[:200]}'", field="uri", remedy="see resources/templates/list")


HANDLERS: tuple[Handler, ...] = (
    ("prompts/list", PaginatedRequestParams, listed),
    ("prompts/get", GetPromptRequestParams, written),
    ("completion/complete", CompleteRequestParams, completed),
)

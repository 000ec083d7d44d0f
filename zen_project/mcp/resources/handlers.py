"""The protocol's methods on resources."""

from __future__ import annotations

import json
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp_types import (
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    ResourceTemplate,
    TextResourceContents,
)

from zen_project.mcp.protocol import asked
from zen_project.mcp.resources.listing import JSON, page
from zen_project.mcp.resources.reading import read
from zen_project.mcp.resources.uris import TEMPLATES
from zen_project.mcp.sdk import Handler


async def listed(ctx: ServerRequestContext[Any, Any], params: PaginatedRequestParams) -> ListResourcesResult:
    """`resources/list`."""
    found, onward = await asked(lambda caller: page(params.cursor or ""))
    return ListResourcesResult(resources=found, next_cursor=onward)


async def templates(ctx: ServerRequestContext[Any, Any], params: PaginatedRequestParams) -> ListResourceTemplatesResult:
    """`resources/templates/list`."""
    found = [
        ResourceTemplate(
            uri_template=one.uri, name=one.kind, title=one.title, description=one.description, mime_type=JSON
        )
        for one in TEMPLATES
    ]
    return ListResourceTemplatesResult(resource_templates=found)


async def contents(ctx: ServerRequestContext[Any, Any], params: ReadResourceRequestParams) -> ReadResourceResult:
    """`resources/read`."""
    uri = str(params.uri)
    found = await asked(lambda caller: read(caller, uri), uri=uri)
    text = json.dumps(found, ensure_ascii=False)
    return ReadResourceResult(contents=[TextResourceContents(uri=uri, text=text, mime_type=JSON)])


HANDLERS: tuple[Handler, ...] = (
    ("resources/list", PaginatedRequestParams, listed),
    ("resources/templates/list", PaginatedRequestParams, templates),
    ("resources/read", ReadResourceRequestParams, contents),
)

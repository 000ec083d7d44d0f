"""How a behaviour of the scripted agent speaks to its client."""

from __future__ import annotations

import sys
from typing import Any

from acp import Client, RequestError, helpers, schema

from orchestration.agents.scripted.behaviours import ToolKind


class Voice:
    """How a behaviour of this session speaks."""

    def __init__(self, client: Client, session_id: str) -> None:
        self._client, self._session_id, self._tools = client, session_id, 0

    async def say(self, text: str) -> None:
        await self._update(helpers.update_agent_message_text(text))

    async def think(self, text: str) -> None:
        await self._update(helpers.update_agent_thought_text(text))

    async def tool(self, kind: ToolKind, title: str, *, output: str = "", path: str = "") -> None:
        tool_id = self._next_tool()
        places = [schema.ToolCallLocation(path=path)] if path else None
        begun = schema.ToolCallStart(
            session_update="tool_call",
            tool_call_id=tool_id,
            title=title,
            kind=kind,
            status="in_progress",
            locations=places,
        )
        await self._update(begun)
        shown = [helpers.tool_content(helpers.text_block(output))] if output else None
        await self._update(helpers.update_tool_call(tool_id, status="completed", content=shown))

    async def permission(self, kind: ToolKind, title: str) -> bool:
        call = schema.ToolCallUpdate(tool_call_id=self._next_tool(), title=title, kind=kind, status="pending")
        options = [
            schema.PermissionOption(option_id="allow", name="Allow", kind="allow_once"),
            schema.PermissionOption(option_id="reject", name="Reject", kind="reject_once"),
        ]
        answer = await self._client.request_permission(session_id=self._session_id, tool_call=call, options=options)
        return isinstance(answer.outcome, schema.AllowedOutcome) and answer.outcome.option_id == "allow"

    async def question(self, text: str, options: tuple[str, ...]) -> str | None:
        field = schema.ElicitationStringPropertySchema(type="string", enum=list(options) or None)
        form = schema.ElicitationSchema(type="object", properties={"answer": field}, required=["answer"])
        mode = schema.ElicitationFormSessionMode(session_id=self._session_id, requested_schema=form)
        answer: Any = await self._client.create_elicitation(text, mode)
        content = getattr(answer, "content", None) or {}
        return str(content["answer"]) if "answer" in content else None

    async def cost(self, dollars: float) -> None:
        price = schema.Cost(amount=dollars, currency="USD")
        update = schema.UsageUpdate(session_update="usage_update", used=1000, size=100_000, cost=price)
        await self._update(update)

    async def fail(self, message: str, data: dict[str, object] | None = None) -> None:
        raise RequestError(-32603, message, data)

    async def raw(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def _next_tool(self) -> str:
        self._tools += 1
        return f"tool-{self._tools}"

    async def _update(self, update: Any) -> None:
        await self._client.session_update(session_id=self._session_id, update=update)

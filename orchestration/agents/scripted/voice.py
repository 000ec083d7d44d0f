"""How a behaviour of the scripted agent speaks to its client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration.agents.scripted.behaviours import ToolKind
from orchestration.agents.scripted.wire import RpcError, Wire


def text_block(text: str) -> dict[str, Any]:
    """Text as the protocol has it."""
    return {"type": "text", "text": text}


def chunk(kind: str, text: str) -> dict[str, Any]:
    """A piece of what was said. `kind`: agent_message, agent_thought or user_message. `text`: the piece."""
    return {"sessionUpdate": f"{kind}_chunk", "content": text_block(text)}


class Voice:
    """How a behaviour of this session speaks."""

    def __init__(self, wire: Wire, session_id: str) -> None:
        self._wire, self._session_id, self._tools = wire, session_id, 0

    async def say(self, text: str) -> None:
        await self.update(chunk("agent_message", text))

    async def think(self, text: str) -> None:
        await self.update(chunk("agent_thought", text))

    async def tool(self, kind: ToolKind, title: str, *, output: str = "", path: str = "") -> None:
        call = {"toolCallId": self._next_tool()}
        begun = call | {"sessionUpdate": "tool_call", "title": title, "kind": kind, "status": "in_progress"}
        await self.update(begun | ({"locations": [{"path": path}]} if path else {}))
        done = call | {"sessionUpdate": "tool_call_update", "status": "completed"}
        shown = {"content": [{"type": "content", "content": text_block(output)}]} if output else {}
        await self.update(done | shown)

    async def permission(self, kind: ToolKind, title: str) -> bool:
        call = {"toolCallId": self._next_tool(), "title": title, "kind": kind, "status": "pending"}
        options = [
            {"optionId": "allow", "name": "Allow", "kind": "allow_once"},
            {"optionId": "reject", "name": "Reject", "kind": "reject_once"},
        ]
        answer = await self._ask("session/request_permission", {"toolCall": call, "options": options})
        outcome = answer.get("outcome") or {}
        return outcome.get("outcome") == "selected" and outcome.get("optionId") == "allow"

    async def question(self, text: str, options: tuple[str, ...]) -> str | None:
        field: dict[str, Any] = {"type": "string"} | ({"enum": list(options)} if options else {})
        form = {"type": "object", "properties": {"answer": field}, "required": ["answer"]}
        answer = await self._ask("elicitation/create", {"message": text, "mode": "form", "requestedSchema": form})
        content = answer.get("content") or {}
        return str(content["answer"]) if "answer" in content else None

    async def cost(self, dollars: float) -> None:
        price = {"amount": dollars, "currency": "USD"}
        await self.update({"sessionUpdate": "usage_update", "used": 1000, "size": 100_000, "cost": price})

    async def fail(self, message: str, data: dict[str, object] | None = None) -> None:
        raise RpcError(-32603, message, data)

    async def raw(self, data: bytes) -> None:
        await self._wire.raw(data)

    async def update(self, update: Mapping[str, Any]) -> None:
        """Tell the client of the session. `update`: as the protocol has it."""
        await self._wire.notify("session/update", {"sessionId": self._session_id, "update": update})

    async def _ask(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._wire.request(method, {"sessionId": self._session_id, **params})

    def _next_tool(self) -> str:
        self._tools += 1
        return f"tool-{self._tools}"

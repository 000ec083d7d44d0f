"""What an agent tells by session/update, in our words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from acp import schema
from pydantic import ValidationError

from orchestration.core.agent.events import (
    Event,
    Message,
    PlanEntry,
    PlanShown,
    Thought,
    ToolDone,
    ToolStarted,
    UsageReported,
)
from orchestration.core.agent.session import Usage

ENDED = ("completed", "failed")
INPUT_SHOWN = 2_000


class Updates:
    """Remembers which tools began, for their ends name the id alone.

    `cost_before`: of a session that goes on. By the protocol a cost is that of the session since it began; an agent
    whose first one is below what it had cost before counts anew.
    """

    def __init__(self) -> None:
        self._tools: dict[str, ToolStarted] = {}
        self._done: set[str] = set()
        self.usage = Usage()
        self.cost_before, self._has_told_cost = Decimal(0), False

    def events(self, params: Mapping[str, Any]) -> Iterator[Event]:
        """Those of one session/update; none for kinds that say nothing about the work, or cannot be read."""
        try:
            update = schema.SessionNotification.model_validate(params).update
        except ValidationError:
            return
        match update:
            case schema.AgentMessageChunk():
                yield from (Message(text=text, message_id=update.message_id or "") for text in _texts(update.content))
            case schema.AgentThoughtChunk():
                yield from (Thought(text=text) for text in _texts(update.content))
            case schema.ToolCallStart() | schema.ToolCallProgress():
                yield from self._tool(update)
            case schema.AgentPlanUpdate():
                yield PlanShown(entries=tuple(PlanEntry(text=e.content, status=str(e.status)) for e in update.entries))
            case schema.UsageUpdate() if update.cost is not None and update.cost.currency.upper() == "USD":
                yield UsageReported(usage=self.usage, cost_usd=self._cost(Decimal(str(update.cost.amount))))
            case _:
                return

    def _cost(self, told: Decimal) -> Decimal:
        if not self._has_told_cost and told < self.cost_before:
            self.cost_before = Decimal(0)
        self._has_told_cost = True
        return max(Decimal(0), told - self.cost_before)

    def _tool(self, update: schema.ToolCallStart | schema.ToolCallProgress) -> Iterator[Event]:
        tool_id = update.tool_call_id
        known = self._tools.get(tool_id)
        if known is None:
            known = ToolStarted(
                tool_id=tool_id, name=tool_name(update), title=title_of(update), paths=_paths(update.locations)
            )
            self._tools[tool_id] = known
            yield known
        if update.status in ENDED and tool_id not in self._done:
            self._done.add(tool_id)
            yield ToolDone(
                tool_id=tool_id,
                name=known.name,
                succeeded=update.status == "completed",
                output="\n".join(_shown(update.content)),
                paths=_paths(update.locations) or known.paths,
            )


def tool_name(call: schema.ToolCallStart | schema.ToolCallProgress | schema.ToolCallUpdate) -> str:
    """The kind of tool (read, edit, execute, …), which every agent names alike; else its title."""
    return call.kind if call.kind and call.kind != "other" else (call.title or "tool")[:80]


def title_of(
    call: schema.ToolCallStart | schema.ToolCallProgress | schema.ToolCallUpdate, most: int | None = INPUT_SHOWN
) -> str:
    """What it is about to do, with its input, of which `most` characters are shown; None: all, for who has to agree."""
    given = "" if call.raw_input in (None, {}) else json.dumps(call.raw_input, ensure_ascii=False, default=str)
    return " ".join(part for part in (call.title or "", given[:most]) if part)


def tokens(usage: schema.Usage | None) -> Usage:
    """Agents differ in whether input counts what the cache had; the total says which it is."""
    if usage is None:
        return Usage()
    cached = usage.cached_read_tokens or 0
    output = usage.output_tokens
    with_thoughts = output + (usage.thought_tokens or 0)
    if usage.total_tokens >= usage.input_tokens + with_thoughts:
        output = with_thoughts
    return Usage(input=max(usage.total_tokens - output, usage.input_tokens), output=output, cached=cached)


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, schema.TextContentBlock) and content.text:
        yield content.text


def _paths(locations: list[schema.ToolCallLocation] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(place.path for place in locations or ()))


def _shown(content: list[Any] | None) -> Iterator[str]:
    for part in content or ():
        if isinstance(part, schema.ContentToolCallContent):
            yield from _texts(part.content)
        elif isinstance(part, schema.FileEditToolCallContent):
            yield f"{part.path}: {len((part.new_text or '').splitlines())} lines"

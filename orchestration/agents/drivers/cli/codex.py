"""Codex: `codex exec --json`. As of 0.169.0."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from orchestration.agents.base import SessionSpec
from orchestration.agents.drivers.cli.adapter import Adapter, JsonReader, count, has, shown
from orchestration.agents.drivers.cli.signed_in import codex as signed_in
from orchestration.agents.drivers.over import SessionOver
from orchestration.agents.process.sandbox import bubblewrap
from orchestration.core.agent.events import (
    Event,
    Message,
    PlanEntry,
    PlanShown,
    Retrying,
    SessionStarted,
    Thought,
    ToolDone,
    ToolStarted,
)
from orchestration.core.agent.session import EndReason, Usage

RETRY = re.compile(r"^Reconnecting\.\.\.|waiting for network|retrying", re.IGNORECASE)
ATTEMPT = re.compile(r"(\d+)/\d+")
TOOLS = ("command_execution", "file_change", "mcp_tool_call", "web_search")
FAILED = ("failed", "declined")


class CodexReader(JsonReader):
    """Reads the events of `exec --json`."""

    def __init__(self, spec: SessionSpec) -> None:
        super().__init__(spec)
        self._over: SessionOver | None = None
        self._begun: set[str] = set()
        self._before = Usage()

    def read(self, value: dict[str, Any]) -> Iterator[Event]:
        """See `JsonReader`."""
        match value["type"]:
            case "thread.started":
                thread, resumed = str(value.get("thread_id", "")), bool(self.spec.session_id)
                self._before = self.spec.used_before if thread == self.spec.session_id else Usage()
                yield SessionStarted(session_id=thread, agent="Codex", resumed=resumed)
            case "item.started" | "item.updated" | "item.completed":
                item = value.get("item")
                if isinstance(item, dict):
                    yield from self._item(item, done=value["type"] == "item.completed")
            case "error":
                text = str(value.get("message", ""))
                if RETRY.search(text):
                    attempt = ATTEMPT.search(text)
                    yield Retrying(error=text, attempt=int(attempt[1]) if attempt else 0)
            case "turn.completed":
                self._count(value.get("usage"))
                self._over, self.finished = SessionOver(EndReason.END_TURN), True
            case "turn.failed":
                error = value.get("error")
                text = str(error.get("message", "error")) if isinstance(error, dict) else "error"
                self._over, self.finished = SessionOver.by(text), True

    def over(self) -> SessionOver | None:
        """See `Reader`."""
        return self._over

    def _item(self, item: dict[str, Any], *, done: bool) -> Iterator[Event]:
        kind, item_id = str(item.get("type")), str(item.get("id", ""))
        if kind == "todo_list":
            yield PlanShown(entries=tuple(_entries(item.get("items"))))
        elif kind in TOOLS:
            yield from self._tool(item, kind, item_id, done=done)
        elif done and kind == "agent_message":
            yield Message(text=str(item.get("text", "")), message_id=item_id)
        elif done and kind == "reasoning":
            yield Thought(text=str(item.get("text", "")))

    def _tool(self, item: dict[str, Any], kind: str, item_id: str, *, done: bool) -> Iterator[Event]:
        paths = tuple(str(one.get("path")) for one in item.get("changes") or () if isinstance(one, dict))
        if item_id not in self._begun:
            self._begun.add(item_id)
            title = item.get("command") or item.get("query") or item.get("tool") or ", ".join(paths)
            yield ToolStarted(tool_id=item_id, name=kind, title=shown(title), paths=paths)
        if not done:
            return
        code = item.get("exit_code")
        if item.get("status") == "declined":
            self.denied.append(kind)
        yield ToolDone(
            tool_id=item_id,
            name=kind,
            succeeded=item.get("status") not in FAILED and code in (0, None),
            output=shown(item.get("aggregated_output") or item.get("result") or ""),
            paths=paths,
        )

    def _count(self, usage: object) -> None:
        """`input_tokens` has the cached ones in it, `output_tokens` the reasoning. All are of the session since it
        began, also where it goes on."""
        if isinstance(usage, dict):
            given, cached = count(usage.get("input_tokens")), count(usage.get("cached_input_tokens"))
            whole = Usage(input=given, output=count(usage.get("output_tokens")), cached=min(cached, given))
            self.usage = whole.since(self._before)


def _entries(items: object) -> Iterator[PlanEntry]:
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            status = "completed" if item.get("completed") else "pending"
            yield PlanEntry(text=str(item.get("text", "")), status=status)


def arguments(spec: SessionSpec, own: Sequence[str]) -> list[str]:
    """Its own sandbox is a bubblewrap too, and cannot be made within ours: where ours holds it, its own is left
    out."""
    words = ["exec", "--json", "--skip-git-repo-check", "-C", str(spec.cwd)]
    if not has(own, "-s", "--sandbox", "--full-auto", "--dangerously-bypass-approvals-and-sandbox"):
        is_held = spec.sandbox.mode != "off" and bubblewrap() is not None
        words += ["-s", "danger-full-access" if is_held else "workspace-write"]
    if spec.model:
        words += ["-m", spec.model]
    return [*words, "resume", spec.session_id, "-"] if spec.session_id else [*words, "-"]


CODEX = Adapter(
    program="codex",
    name="Codex",
    arguments=arguments,
    reader=CodexReader,
    signed_in=signed_in,
    sign_in="run `codex login` as the worker's user, or set CODEX_API_KEY in the endpoint's env",
    lost=re.compile(r"no rollout found|thread/resume failed"),
)

"""Gemini CLI: `gemini --output-format stream-json`, its prompt on stdin. As of 0.61.0."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from orchestration.agents.base import SessionSpec
from orchestration.agents.drivers.cli.adapter import Adapter, JsonReader, count, has, paths_of, shown
from orchestration.agents.drivers.cli.signed_in import gemini as signed_in
from orchestration.agents.drivers.over import SessionOver
from orchestration.core.agent.events import Event, Message, SessionStarted, ToolDone, ToolStarted
from orchestration.core.agent.session import EndReason, Usage

DENIED = re.compile(
    r"denied by policy|user (?:denied|cancelled|rejected)|not allowed|requires (?:user )?confirmation", re.I
)
TURNS = re.compile(r"turn limit|max(?:imum)? (?:session )?turns", re.IGNORECASE)


class GeminiReader(JsonReader):
    """Reads stream-json."""

    def __init__(self, spec: SessionSpec) -> None:
        super().__init__(spec)
        self._over: SessionOver | None = None
        self._tools: dict[str, str] = {}

    def read(self, value: dict[str, Any]) -> Iterator[Event]:
        """See `JsonReader`."""
        match value["type"]:
            case "init":
                resumed = bool(self.spec.session_id)
                name, model = str(value.get("session_id", "")), str(value.get("model", ""))
                yield SessionStarted(session_id=name, agent="Gemini CLI", model=model, resumed=resumed)
            case "message" if value.get("role") == "assistant":
                yield Message(text=str(value.get("content", "")))
            case "tool_use":
                tool_id, name, given = str(value.get("tool_id")), str(value.get("tool_name")), value.get("parameters")
                self._tools[tool_id] = name
                yield ToolStarted(tool_id=tool_id, name=name, title=shown(given), paths=paths_of(given))
            case "tool_result":
                yield self._tool_done(value)
            case "result":
                self._end(value)

    def over(self) -> SessionOver | None:
        """See `Reader`."""
        return self._over

    def _tool_done(self, value: dict[str, Any]) -> Event:
        tool_id, failed = str(value.get("tool_id")), value.get("status") != "success"
        name, output = self._tools.get(tool_id, "tool"), shown(value.get("output") or value.get("error") or "")
        if failed and DENIED.search(output):
            self.denied.append(name)
        return ToolDone(tool_id=tool_id, name=name, succeeded=not failed, output=output)

    def _end(self, value: dict[str, Any]) -> None:
        self.finished = True
        stats = value.get("stats")
        if isinstance(stats, dict):
            given, cached = count(stats.get("input_tokens")), count(stats.get("cached"))
            self.usage = Usage(input=given, output=count(stats.get("output_tokens")), cached=min(cached, given))
        if value.get("status") == "success":
            self._over = SessionOver(EndReason.END_TURN)
            return
        error = value.get("error")
        text = str(error.get("message", "error")) if isinstance(error, dict) else "error"
        self._over = SessionOver(EndReason.MAX_TURNS, text) if TURNS.search(text) else SessionOver.by(text)


def arguments(spec: SessionSpec, own: Sequence[str]) -> list[str]:
    """Edits are allowed; commands are only where the endpoint's own words say so."""
    words = ["--output-format", "stream-json", "--skip-trust"]
    if not has(own, "--approval-mode", "-y", "--yolo"):
        words += ["--approval-mode", "auto_edit"]
    if spec.model:
        words += ["-m", spec.model]
    return [*words, "--resume", spec.session_id] if spec.session_id else words


GEMINI = Adapter(
    program="gemini",
    name="Gemini CLI",
    arguments=arguments,
    reader=GeminiReader,
    signed_in=signed_in,
    sign_in="set GEMINI_API_KEY in the endpoint's env, or sign in with `gemini` as the worker's user",
    lost=re.compile(r"[Ii]nvalid session|[Ss]ession .{0,60}not found|[Nn]o previous sessions|Error resuming session"),
)

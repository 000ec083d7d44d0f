"""opencode: `opencode run --format json`. As of 1.18.33."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from orchestration.agents.base import SessionSpec
from orchestration.agents.drivers.cli.adapter import Adapter, JsonReader, count, dollars, paths_of, shown
from orchestration.agents.drivers.cli.signed_in import opencode as signed_in
from orchestration.agents.drivers.over import SessionOver
from orchestration.core.agent.events import (
    Event,
    Message,
    SessionStarted,
    Thought,
    ToolDone,
    ToolStarted,
    UsageReported,
)
from orchestration.core.agent.session import EndReason, Usage

DENIED = re.compile(
    r"(?:reject|den)\w* (?:permission|this tool)|permission (?:was )?(?:rejected|denied)", re.IGNORECASE
)
ENDS = {"stop": EndReason.END_TURN, "length": EndReason.MAX_TURNS, "content-filter": EndReason.REFUSAL}


class OpencodeReader(JsonReader):
    """Reads the events of `run --format json`."""

    def __init__(self, spec: SessionSpec) -> None:
        super().__init__(spec)
        self._over: SessionOver | None = None
        self._begun = False
        self._cost = Decimal(0)

    def read(self, value: dict[str, Any]) -> Iterator[Event]:
        """See `JsonReader`."""
        session_id, part = str(value.get("sessionID", "")), value.get("part")
        if session_id and not self._begun:
            self._begun = True
            yield SessionStarted(
                session_id=session_id,
                agent="opencode",
                model=self.spec.model,
                resumed=session_id == self.spec.session_id,
            )
        if value["type"] == "error":
            self._over = SessionOver.by(_error(value.get("error")))
        elif isinstance(part, dict):
            yield from self._part(str(value["type"]), part)

    def over(self) -> SessionOver | None:
        """See `Reader`."""
        return self._over

    def _part(self, kind: str, part: dict[str, Any]) -> Iterator[Event]:
        match kind:
            case "text":
                yield Message(text=str(part.get("text", "")), message_id=str(part.get("id", "")))
            case "reasoning":
                yield Thought(text=str(part.get("text", "")))
            case "tool_use":
                yield from self._tool(part)
            case "step_finish":
                self._count(part)
                yield UsageReported(usage=self.usage, cost_usd=self.cost_usd)
                if reason := ENDS.get(str(part.get("reason"))):
                    self._over = SessionOver(reason)

    def _tool(self, part: dict[str, Any]) -> Iterator[Event]:
        """It is told once, when it is done."""
        found = part.get("state")
        state: dict[str, Any] = found if isinstance(found, dict) else {}
        tool_id, name, given = str(part.get("callID", "")), str(part.get("tool", "tool")), state.get("input")
        output, failed = shown(state.get("output") or state.get("error") or ""), state.get("status") == "error"
        if failed and DENIED.search(output):
            self.denied.append(name)
        yield ToolStarted(tool_id=tool_id, name=name, title=shown(given), paths=paths_of(given))
        yield ToolDone(tool_id=tool_id, name=name, succeeded=not failed, output=output, paths=paths_of(given))

    def _count(self, part: dict[str, Any]) -> None:
        """`input` is without the cached ones. A cost of 0 for many tokens means that it knows no price."""
        tokens = part.get("tokens")
        if isinstance(tokens, dict):
            found = tokens.get("cache")
            cache: dict[str, Any] = found if isinstance(found, dict) else {}
            cached = count(cache.get("read"))
            given = count(tokens.get("input")) + cached + count(cache.get("write"))
            output = count(tokens.get("output")) + count(tokens.get("reasoning"))
            self.usage += Usage(input=given, output=output, cached=cached)
        self._cost += dollars(part.get("cost")) or Decimal(0)
        self.cost_usd = self._cost or None


def _error(error: object) -> str:
    if not isinstance(error, dict):
        return str(error)
    found = error.get("data")
    data: dict[str, Any] = found if isinstance(found, dict) else {}
    status = f" ({data['statusCode']})" if data.get("statusCode") else ""
    headers = data.get("responseHeaders")
    wait = f"; retry-after: {headers['retry-after']}" if isinstance(headers, dict) and "retry-after" in headers else ""
    return f"{error.get('name', 'error')}: {data.get('message', error.get('message', ''))}{status}{wait}"


def arguments(spec: SessionSpec, own: Sequence[str]) -> list[str]:
    """What it may do is in its own configuration; what it would have to ask is refused to it."""
    words = ["run", "--format", "json", "--dir", str(spec.cwd)]
    if spec.model:
        words += ["-m", spec.model]
    return [*words, "-s", spec.session_id] if spec.session_id else words


OPENCODE = Adapter(
    program="opencode",
    name="opencode",
    arguments=arguments,
    reader=OpencodeReader,
    signed_in=signed_in,
    sign_in="run `opencode auth login` as the worker's user, or set its provider's key in the endpoint's env",
    lost=re.compile(r"Session not found"),
    env={"OPENCODE_DISABLE_AUTOUPDATE": "1"},
)

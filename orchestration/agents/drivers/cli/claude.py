"""Claude Code: `claude -p --output-format stream-json --verbose`. As of 2.1.197.

Its turn has ended when it tells a result and then nothing more: one that left tasks in the background goes on after it.
So it is asked to have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from orchestration.agents.base import SessionSpec
from orchestration.agents.drivers.cli.adapter import (
    LAST_SECONDS,
    Adapter,
    JsonReader,
    count,
    dollars,
    has,
    paths_of,
    shown,
)
from orchestration.agents.drivers.cli.signed_in import claude as signed_in
from orchestration.agents.drivers.failures import Failure, failure_of
from orchestration.agents.drivers.over import SessionOver
from orchestration.core.agent.events import Event, Message, Retrying, SessionStarted, Thought, ToolDone, ToolStarted
from orchestration.core.agent.session import EndReason, Usage

SYNTHETIC = "<synthetic>"
"""The model of messages that the program itself wrote, such as an error of its service."""
DENIED = re.compile(r"Permission to use (\S+) has been denied|requested permissions? to (?:use|write|edit|read) ")
STATUS = {401: EndReason.AUTH, 403: EndReason.AUTH, 429: EndReason.RATE_LIMITED, 529: EndReason.RATE_LIMITED}
SUBTYPES = {"error_max_turns": EndReason.MAX_TURNS, "error_max_budget_usd": EndReason.OVER_BUDGET}
LATEST = 10**11
"""Seconds; what is later is no moment that a date can hold."""
STOPS = {"refusal": EndReason.REFUSAL, "max_tokens": EndReason.MAX_TURNS}


class ClaudeReader(JsonReader):
    """Reads stream-json."""

    def __init__(self, spec: SessionSpec) -> None:
        super().__init__(spec)
        self._tools: dict[str, str] = {}
        self._result: dict[str, Any] | None = None
        self._limited_until: datetime | None = None
        self._is_limited = False
        self._in_background: set[str] = set()

    def read(self, value: dict[str, Any]) -> Iterator[Event]:
        """See `JsonReader`."""
        match value["type"], value.get("subtype"):
            case "system", "init":
                yield SessionStarted(
                    session_id=str(value.get("session_id", "")),
                    agent="Claude Code",
                    version=str(value.get("claude_code_version", "")),
                    model=str(value.get("model", "")),
                    resumed=bool(self.spec.session_id),
                )
            case "system", "api_retry":
                said = f"{value.get('error', '')} ({value.get('error_status')})"
                wait = value.get("retry_delay_ms")
                seconds = wait / 1000 if isinstance(wait, int | float) else None
                yield Retrying(error=said, attempt=count(value.get("attempt")), wait_seconds=seconds)
            case "system", "task_started":
                self._in_background.add(str(value.get("task_id")))
            case "system", "task_notification":
                self._in_background.discard(str(value.get("task_id")))
            case "assistant", _:
                self.silence = None
                yield from self._said(value.get("message"))
            case "user", _:
                yield from self._done(value.get("message"))
            case "rate_limit_event", _:
                self._limit(value.get("rate_limit_info"))
            case "result", _:
                self._end(value)

    def over(self) -> SessionOver | None:
        """See `Reader`. An error can have the subtype `success`, so `is_error` decides."""
        result = self._result
        if result is None:
            return self._limited("it has reached a limit of its plan") if self._is_limited else None
        if reason := SUBTYPES.get(str(result.get("subtype"))):
            return SessionOver(reason, _error(result))
        if result.get("is_error") is not False or result.get("subtype") != "success":
            text, status = _error(result), result.get("api_error_status")
            found = failure_of(text)
            reason = STATUS.get(status, found.reason) if isinstance(status, int) else found.reason
            if self._is_limited and reason in (EndReason.RATE_LIMITED, EndReason.CRASHED):
                return self._limited(text)
            known = Failure(reason=reason, retry_after=found.retry_after, retry_at=found.retry_at)
            return SessionOver.by(text, known)
        return SessionOver(STOPS.get(str(result.get("stop_reason")), EndReason.END_TURN))

    def _said(self, message: object) -> Iterator[Event]:
        if not isinstance(message, dict) or message.get("model") == SYNTHETIC:
            return
        for part in _parts(message):
            match part.get("type"):
                case "text" if part.get("text"):
                    yield Message(text=str(part["text"]), message_id=str(message.get("id", "")))
                case "thinking" if part.get("thinking"):
                    yield Thought(text=str(part["thinking"]))
                case "tool_use":
                    name, given = str(part.get("name", "tool")), part.get("input")
                    self._tools[str(part.get("id"))] = name
                    yield ToolStarted(tool_id=str(part.get("id")), name=name, title=shown(given), paths=paths_of(given))

    def _done(self, message: object) -> Iterator[Event]:
        for part in _parts(message):
            if part.get("type") != "tool_result":
                continue
            tool_id, failed = str(part.get("tool_use_id")), bool(part.get("is_error"))
            name, output = self._tools.get(tool_id, "tool"), shown(part.get("content", ""))
            if failed and DENIED.search(output):
                self.denied.append(name)
            yield ToolDone(tool_id=tool_id, name=name, succeeded=not failed, output=output)

    def _limit(self, info: object) -> None:
        """It tells of its plan's windows from time to time; `rejected` is the one that stops it."""
        if not isinstance(info, dict):
            return
        self._is_limited, resets = info.get("status") == "rejected", count(info.get("resetsAt"))
        self._limited_until = datetime.fromtimestamp(resets, UTC) if 0 < resets < LATEST else None

    def _limited(self, text: str) -> SessionOver:
        return SessionOver.by(text, Failure(reason=EndReason.RATE_LIMITED, retry_at=self._limited_until))

    def _end(self, value: dict[str, Any]) -> None:
        """There is one for each round of a session whose tasks went on in the background; the last one counts, and its
        costs and tokens are those of all. One of no round at all is a fault after the end."""
        if self._result is not None and not value.get("num_turns"):
            return
        self._result, self.usage = value, Usage()
        self.silence = self.spec.stall_seconds if self._in_background else LAST_SECONDS
        self.cost_usd = dollars(value.get("total_cost_usd"))
        models = value.get("modelUsage")
        for one in models.values() if isinstance(models, dict) else ():
            cached = count(one.get("cacheReadInputTokens"))
            fresh = count(one.get("inputTokens")) + count(one.get("cacheCreationInputTokens"))
            self.usage += Usage(input=fresh + cached, output=count(one.get("outputTokens")), cached=cached)
        self.turns = count(value.get("num_turns")) or self.turns
        denials = value.get("permission_denials") or ()
        self.denied += [str(one.get("tool_name", "tool")) for one in denials if isinstance(one, dict)]


def _parts(message: object) -> list[dict[str, Any]]:
    content = message.get("content") if isinstance(message, dict) else None
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _error(result: dict[str, Any]) -> str:
    errors = result.get("errors")
    told = "; ".join(str(one) for one in errors) if isinstance(errors, list) else ""
    return told or str(result.get("result") or result.get("subtype") or "error")


def arguments(spec: SessionSpec, own: Sequence[str]) -> list[str]:
    """Edits below its folder are allowed, since they are what it is for; the endpoint's words may say otherwise."""
    words = ["-p", "--output-format", "stream-json", "--verbose"]
    if not has(own, "--permission-mode", "--dangerously-skip-permissions", "--settings"):
        words += ["--permission-mode", "acceptEdits"]
    if spec.model:
        words += ["--model", spec.model]
    if spec.max_turns is not None:
        words += ["--max-turns", str(spec.max_turns)]
    if spec.max_cost_usd is not None:
        words += ["--max-budget-usd", str(spec.max_cost_usd)]
    return [*words, "--resume", spec.session_id] if spec.session_id else words


CLAUDE = Adapter(
    program="claude",
    name="Claude Code",
    arguments=arguments,
    reader=ClaudeReader,
    signed_in=signed_in,
    sign_in="run `claude` and then /login as the worker's user, or set ANTHROPIC_API_KEY in the endpoint's env",
    lost=re.compile(r"No conversation found"),
    env={"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1"},
)

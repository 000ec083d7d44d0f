"""JSON-RPC 2.0 in lines, over a program's stdin and stdout."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from orchestration.agents.drivers.lines import object_of
from orchestration.agents.drivers.over import SessionOver
from orchestration.agents.drivers.program import crash_of, next_line
from orchestration.agents.drivers.session import Session
from orchestration.agents.process.group import LONGEST_LINE, Program
from orchestration.core.agent.session import EndReason

METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
MOST_STRANGE_LINES = 50
"""Lines in a row that are no message; some agents print a banner."""
SHOWN = 200

OnRequest = Callable[[str, Mapping[str, Any]], "BaseModel | Refused"]
OnNotice = Callable[[str, Mapping[str, Any]], None]


class AgentError(Exception):
    """The agent answered a request with an error."""

    def __init__(self, code: int, message: str, data: object) -> None:
        detail = f": {json.dumps(data, ensure_ascii=False, default=str)[:2000]}" if data not in (None, {}) else ""
        super().__init__(f"{message}{detail}")
        self.code = code


class Refused:
    """The answer to a request that is not served."""

    def __init__(self, code: int, message: str) -> None:
        self.code, self.message = code, message


class Wire:
    """Requests to the agent, one at a time; what comes meanwhile goes to `on_request` and `on_notice`, in order."""

    def __init__(self, session: Session, program: Program, on_request: OnRequest, on_notice: OnNotice) -> None:
        self._session, self._program = session, program
        self._on_request, self._on_notice = on_request, on_notice
        self._last_id = self._strange = 0
        self._pending: object = None

    def call(self, method: str, params: BaseModel) -> dict[str, Any]:
        """Its result. Raises AgentError; SessionOver when the session ends before it comes."""
        self._last_id += 1
        self._send({"id": self._last_id, "method": method, "params": _plain(params)})
        while True:
            message = self._next()
            if "method" in message:
                self._serve(message)
            elif message.get("id") == self._last_id:
                return _result(message)

    def notify(self, method: str, params: BaseModel) -> None:
        """Say something that has no answer."""
        self._send({"method": method, "params": _plain(params)})

    def give_up_pending(self, answer: BaseModel) -> None:
        """Answer the request that was being served when the session was over, if there is one."""
        if self._pending is not None:
            self._send({"id": self._pending, "result": _plain(answer)})

    def last_word(self, deadline: float) -> dict[str, Any] | None:
        """The result of the last call, if it comes in time; everything else is passed over."""
        while (left := deadline - time.monotonic()) > 0:
            line = self._program.next_line(left)
            if line is None or line.at_end:
                return None
            message = _message(line.data)
            if message is not None and "method" not in message and message.get("id") == self._last_id:
                return message["result"] if isinstance(message.get("result"), dict) else None
        return None

    def _serve(self, message: Mapping[str, Any]) -> None:
        method, given = str(message["method"]), message.get("params")
        params = given if isinstance(given, dict) else {}
        self._session.alive()
        if "id" not in message:
            self._on_notice(method, params)
            return
        self._pending = message["id"]
        answer = self._on_request(method, params)
        self._pending = None
        if isinstance(answer, Refused):
            self._send({"id": message["id"], "error": {"code": answer.code, "message": answer.message}})
        else:
            self._send({"id": message["id"], "result": _plain(answer)})

    def _send(self, message: dict[str, Any]) -> None:
        self._program.say(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def _next(self) -> dict[str, Any]:
        while True:
            line = next_line(self._session, self._program)
            if line.at_end:
                raise crash_of(self._program, "the agent ended before its turn had")
            if line.cut:
                raise SessionOver(EndReason.CRASHED, f"the agent sent a line of more than {LONGEST_LINE} bytes")
            if not line.data.strip():
                continue
            message = _message(line.data)
            if message is not None:
                self._strange = 0
                return message
            self._strange += 1
            if self._strange > MOST_STRANGE_LINES:
                said = line.data[:SHOWN].decode(errors="replace")
                raise SessionOver(EndReason.CRASHED, f"the agent does not speak ACP; it printed {said!r}")


def _message(data: bytes) -> dict[str, Any] | None:
    value = object_of(data)
    return value if value is not None and ("method" in value or "id" in value) else None


def _result(message: Mapping[str, Any]) -> dict[str, Any]:
    error = message.get("error")
    if isinstance(error, dict):
        code = error.get("code")
        raise AgentError(code if isinstance(code, int) else 0, str(error.get("message", "error")), error.get("data"))
    result = message.get("result")
    return result if isinstance(result, dict) else {}


def _plain(value: BaseModel) -> dict[str, Any]:
    dumped: dict[str, Any] = value.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)
    return dumped

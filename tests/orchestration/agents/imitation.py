"""A program that prints as Claude Code does, and behaves as the scripted agent: python imitation.py BEHAVIOUR -p ….

Its form is held against the real one's by tests/orchestration/agents/drivers/test_cli_recorded.py.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any

from orchestration.agents.scripted.behaviours import BEHAVIOURS, NEVER, Stop, ToolKind, Work
from orchestration.agents.scripted.task import task_of

SESSION = str(uuid.uuid4())


def tell(**value: Any) -> None:
    print(json.dumps({**value, "session_id": SESSION}), flush=True)


def result(text: str, **value: Any) -> None:
    usage = {"fake": {"inputTokens": 20, "outputTokens": 10, "cacheReadInputTokens": 5, "cacheCreationInputTokens": 0}}
    told = {"subtype": "success", "is_error": False, "result": text, "stop_reason": "end_turn", "modelUsage": usage}
    tell(type="result", **{**told, "permission_denials": [], **value})


class Voice:
    def __init__(self) -> None:
        self.last = ""

    def _part(self, kind: str, part: dict[str, Any]) -> None:
        tell(type=kind, message={"id": f"msg_{uuid.uuid4().hex}", "role": kind, "model": "fake", "content": [part]})

    async def say(self, text: str) -> None:
        self.last = text
        self._part("assistant", {"type": "text", "text": text})

    async def think(self, text: str) -> None:
        self._part("assistant", {"type": "thinking", "thinking": text})

    async def tool(self, kind: ToolKind, title: str, *, output: str = "", path: str = "") -> None:
        tool_id = f"toolu_{uuid.uuid4().hex}"
        given = {"command": title, **({"file_path": path} if path else {})}
        self._part("assistant", {"type": "tool_use", "id": tool_id, "name": kind, "input": given})
        self._part("user", {"type": "tool_result", "tool_use_id": tool_id, "content": output})

    async def permission(self, kind: ToolKind, title: str) -> bool:
        return False

    async def question(self, text: str, options: tuple[str, ...]) -> str | None:
        return None

    async def cost(self, dollars: float) -> None: ...

    async def fail(self, message: str, data: dict[str, object] | None = None) -> None:
        result(f"API Error: {message} {json.dumps(data)}", is_error=True)
        sys.exit(1)

    async def raw(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


async def retries(work: Work) -> None:
    for attempt in range(1, 100_000):
        retry = {"attempt": attempt, "retry_delay_ms": 100, "error_status": None, "error": "connection refused"}
        tell(type="system", subtype="api_retry", **retry)
        await asyncio.sleep(0.1)


async def main() -> None:
    if "--version" in sys.argv:
        print("1.0.0 (imitation)")
        return
    behaviour, prompt, voice = os.environ["IMITATE"], sys.stdin.read(), Voice()
    tell(type="system", subtype="init", claude_code_version="1.0.0", model="fake", cwd=str(Path.cwd()))
    if behaviour == "auth":
        result("Not logged in · Please run /login", is_error=True)
        return
    work = Work(cwd=Path.cwd(), task=task_of(prompt, os.environ), mouth=voice)
    try:
        await {**BEHAVIOURS, "retries": retries}[behaviour](work)
    except Stop as stop:
        result("", stop_reason=str(stop))
        return
    result(voice.last)
    await asyncio.sleep(NEVER if behaviour == "leaves_processes" else 0)


if __name__ == "__main__":
    asyncio.run(main())

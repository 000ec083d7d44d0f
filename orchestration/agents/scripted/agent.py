"""The scripted agent's side of ACP."""

from __future__ import annotations

import asyncio
import json
import os
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestration.agents.scripted.behaviours import BEHAVIOURS, Stop, Work
from orchestration.agents.scripted.task import behaviour_of, task_of
from orchestration.agents.scripted.voice import Voice, chunk
from orchestration.agents.scripted.wire import PROTOCOL_VERSION, Params, RpcError, Wire

NAME, TITLE, VERSION = "zen-scripted-agent", "Scripted agent (a program, not a model)", "1"
AGAIN = "(this was said before)"
SESSION_ID = re.compile(r"[0-9a-f]{32}")


class ScriptedAgent:
    """One connection. `state`: the folder in which sessions are kept; None keeps none and offers no resuming."""

    def __init__(self, behaviour: str, state: Path | None) -> None:
        self._behaviour, self._state = behaviour, state
        self._sessions: dict[str, dict[str, Any]] = {}
        self._turn: asyncio.Task[None] | None = None
        self._wire = Wire()

    async def run(self) -> None:
        """Until its input ends."""
        self._wire.requests |= {
            "initialize": self._initialize, "session/new": self._new_session, "session/prompt": self._prompt,
        }  # fmt: skip
        self._wire.requests |= {"session/load": self._load_session} if self._state is not None else {}
        self._wire.notifications["session/cancel"] = self._cancel
        await self._wire.serve()

    async def _initialize(self, params: Params) -> Params:
        """Says what it is."""
        return {
            "protocolVersion": PROTOCOL_VERSION,
            "agentCapabilities": {"loadSession": self._state is not None},
            "authMethods": [],
            "agentInfo": {"name": NAME, "title": TITLE, "version": VERSION},
        }

    async def _new_session(self, params: Params) -> Params:
        """A session in this folder."""
        if "auth" in self._behaviour.split(","):
            raise RpcError.auth_required("the scripted agent was told to have no sign-in")
        session_id = uuid.uuid4().hex
        self._sessions[session_id] = {"cwd": params["cwd"], "prompts": []}
        return {"sessionId": session_id}

    async def _load_session(self, params: Params) -> Params:
        """The session as it was kept; what was said in it is told again, as the protocol wants it."""
        session_id = str(params["sessionId"])
        kept = self._kept(session_id)
        if kept is None:
            raise RpcError.not_found(session_id)
        self._sessions[session_id] = {**kept, "cwd": params["cwd"]}
        voice = Voice(self._wire, session_id)
        for prompt in kept["prompts"]:
            for update in (chunk("user_message", prompt), chunk("agent_message", AGAIN)):
                await voice.update(update)
        return {}

    async def _prompt(self, params: Params) -> Params:
        """Behave."""
        session_id = str(params["sessionId"])
        session = self._sessions.get(session_id)
        if session is None:
            raise RpcError.invalid(f"no session {session_id}")
        text = "\n".join(block["text"] for block in params["prompt"] if block.get("type") == "text")
        session["prompts"].append(text)
        self._keep(session_id)
        reason = await self._behave(session_id, session)
        read, written = len(text.split()), 10
        usage = {"totalTokens": read + written, "inputTokens": read, "outputTokens": written}
        return {"stopReason": reason, "usage": usage}

    async def _cancel(self, params: Params) -> None:
        """End the turn."""
        if self._turn is not None:
            self._turn.cancel()

    async def _behave(self, session_id: str, session: Mapping[str, Any]) -> Any:
        first, *later = session["prompts"]
        name = behaviour_of(first, self._behaviour, os.environ)
        behaviour = BEHAVIOURS.get(name)
        if behaviour is None:
            raise RpcError.invalid(f"no behaviour {name!r}; there are {', '.join(BEHAVIOURS)}")
        work = Work(
            cwd=Path(session["cwd"]),
            task=task_of(first, os.environ),
            mouth=Voice(self._wire, session_id),
            answer=later[-1].partition("\n\n")[0] if later else "",
        )
        await work.mouth.say(f"I am the scripted agent, a program and not a model. Behaviour: {name}.\n")
        self._turn = asyncio.ensure_future(behaviour(work))
        try:
            await self._turn
        except asyncio.CancelledError:
            return "cancelled"
        except Stop as stop:
            return str(stop)
        return "end_turn"

    def _file(self, session_id: str) -> Path | None:
        return self._state / f"{session_id}.json" if self._state and SESSION_ID.fullmatch(session_id) else None

    def _kept(self, session_id: str) -> dict[str, Any] | None:
        file = self._file(session_id)
        kept: dict[str, Any] | None = json.loads(file.read_text()) if file and file.is_file() else None
        return kept

    def _keep(self, session_id: str) -> None:
        if file := self._file(session_id):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(self._sessions[session_id]))

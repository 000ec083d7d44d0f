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

from acp import PROTOCOL_VERSION, Client, RequestError, helpers, schema

from orchestration.agents.scripted.behaviours import BEHAVIOURS, Stop, Work
from orchestration.agents.scripted.task import behaviour_of, task_of
from orchestration.agents.scripted.voice import Voice

NAME, TITLE, VERSION = "zen-scripted-agent", "Scripted agent (a program, not a model)", "1"
AGAIN = "(this was said before)"
SESSION_ID = re.compile(r"[0-9a-f]{32}")


class ScriptedAgent:
    """One connection. `state`: the folder in which sessions are kept; None keeps none and offers no resuming."""

    def __init__(self, behaviour: str, state: Path | None) -> None:
        self._behaviour, self._state = behaviour, state
        self._sessions: dict[str, dict[str, Any]] = {}
        self._turn: asyncio.Task[None] | None = None
        self._client: Client | None = None

    def on_connect(self, conn: Client) -> None:
        """The library's hook: whom to speak to."""
        self._client = conn

    async def initialize(self, protocol_version: int, **_: Any) -> schema.InitializeResponse:
        """Says what it is."""
        return schema.InitializeResponse(
            protocol_version=PROTOCOL_VERSION,
            agent_capabilities=schema.AgentCapabilities(load_session=self._state is not None),
            agent_info=schema.Implementation(name=NAME, title=TITLE, version=VERSION),
        )

    async def new_session(self, cwd: str, **_: Any) -> schema.NewSessionResponse:
        """A session in this folder."""
        if "auth" in self._behaviour.split(","):
            raise RequestError.auth_required({"details": "the scripted agent was told to have no sign-in"})
        session_id = uuid.uuid4().hex
        self._sessions[session_id] = {"cwd": cwd, "prompts": []}
        return schema.NewSessionResponse(session_id=session_id)

    async def load_session(self, cwd: str, session_id: str, **_: Any) -> schema.LoadSessionResponse:
        """The session as it was kept; what was said in it is told again, as the protocol wants it."""
        kept = self._kept(session_id)
        if kept is None:
            raise RequestError.resource_not_found(session_id)
        self._sessions[session_id] = {**kept, "cwd": cwd}
        for prompt in kept["prompts"]:
            for update in (helpers.update_user_message_text(prompt), helpers.update_agent_message_text(AGAIN)):
                await self._peer().session_update(session_id=session_id, update=update)
        return schema.LoadSessionResponse()

    async def prompt(self, session_id: str, prompt: list[Any], **_: Any) -> schema.PromptResponse:
        """Behave."""
        session = self._sessions.get(session_id)
        if session is None:
            raise RequestError.invalid_params({"details": f"no session {session_id}"})
        text = "\n".join(block.text for block in prompt if isinstance(block, schema.TextContentBlock))
        session["prompts"].append(text)
        self._keep(session_id)
        reason = await self._behave(session_id, session)
        tokens = {"input_tokens": len(text.split()), "output_tokens": 10}
        usage = schema.Usage(total_tokens=sum(tokens.values()), **tokens)
        return schema.PromptResponse(stop_reason=reason, usage=usage)

    async def cancel(self, session_id: str, **_: Any) -> None:
        """End the turn."""
        if self._turn is not None:
            self._turn.cancel()

    async def _behave(self, session_id: str, session: Mapping[str, Any]) -> Any:
        first, *later = session["prompts"]
        name = behaviour_of(first, self._behaviour, os.environ)
        behaviour = BEHAVIOURS.get(name)
        if behaviour is None:
            raise RequestError.invalid_params({"details": f"no behaviour {name!r}; there are {', '.join(BEHAVIOURS)}"})
        work = Work(
            cwd=Path(session["cwd"]),
            task=task_of(first, os.environ),
            mouth=Voice(self._peer(), session_id),
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

    def _peer(self) -> Client:
        if self._client is None:
            raise RequestError.internal_error({"details": "no client"})
        return self._client

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

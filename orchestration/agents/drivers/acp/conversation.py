"""One conversation by ACP: hello, a session that is new or goes on, one prompt and its answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from acp import PROTOCOL_VERSION, schema
from acp.meta import AGENT_METHODS, CLIENT_METHODS
from pydantic import ValidationError

from orchestration.agents.drivers.acp.requests import answer_request, capabilities
from orchestration.agents.drivers.acp.updates import Updates, tokens
from orchestration.agents.drivers.acp.wire import AgentError, Wire
from orchestration.agents.drivers.failures import Failure
from orchestration.agents.drivers.over import SessionOver
from orchestration.agents.drivers.session import Session
from orchestration.agents.process.group import Program
from orchestration.core.agent.events import SessionStarted
from orchestration.core.agent.session import EndReason

GRACE_SECONDS = 2.0
"""How long an agent has to end its turn by itself after session/cancel."""
AUTH_REQUIRED = -32000
REASONS = {
    "end_turn": EndReason.END_TURN,
    "max_tokens": EndReason.MAX_TURNS,
    "max_turn_requests": EndReason.MAX_TURNS,
    "refusal": EndReason.REFUSAL,
    "cancelled": EndReason.CANCELLED,
}
POLITE = (EndReason.CANCELLED, EndReason.TIMED_OUT, EndReason.MAX_TURNS, EndReason.OVER_BUDGET, EndReason.SUSPENDED)
"""After these the agent is asked to stop, so that it keeps its session whole."""


class Conversation:
    """`said_hello`: it answered `initialize`. `is_signed_in`: True where it could have refused a session and did
    not."""

    def __init__(self, session: Session, program: Program) -> None:
        self._session, self._updates = session, Updates()
        self._wire = Wire(session, program, lambda method, params: answer_request(session, method, params), self._hear)
        self._hears = self._is_prompted = False
        self.said_hello, self.version = False, ""
        self.is_signed_in: bool | None = None

    def hold(self) -> SessionOver:
        """All of it; return how it was over. Raises SessionOver too."""
        try:
            self.open()
            return self._prompt()
        except SessionOver as over:
            if self._is_prompted and over.reason in POLITE:
                self._stop()
            raise

    def open(self) -> None:
        """Hello, and a session. Raises SessionOver."""
        try:
            hello = self._hello()
            opened = self._open(hello)
            self._choose_model(opened)
        except AgentError as error:
            raise _over(error) from error
        except ValidationError as error:
            raise SessionOver(EndReason.CRASHED, _unreadable(error)) from error
        self.is_signed_in = True if hello.auth_methods else None

    def _hello(self) -> schema.InitializeResponse:
        request = schema.InitializeRequest(
            protocol_version=PROTOCOL_VERSION,
            client_capabilities=capabilities(),
            client_info=schema.Implementation(name="zen", title="Zen", version="1"),
        )
        hello = schema.InitializeResponse.model_validate(self._wire.call(AGENT_METHODS["initialize"], request))
        self.said_hello, self._info = True, hello.agent_info
        self.version = hello.agent_info.version if hello.agent_info else ""
        if hello.protocol_version != PROTOCOL_VERSION:
            text = f"the agent speaks version {hello.protocol_version} of ACP; this driver speaks {PROTOCOL_VERSION}"
            raise SessionOver(EndReason.CRASHED, text)
        return hello

    def _open(self, hello: schema.InitializeResponse) -> schema.NewSessionResponse | schema.LoadSessionResponse:
        session, offered = self._session, hello.agent_capabilities or schema.AgentCapabilities()
        cwd, old = str(session.spec.cwd), session.spec.session_id
        session.resumable = bool(offered.load_session)
        opened: schema.NewSessionResponse | schema.LoadSessionResponse | None = None
        if old and offered.load_session:
            opened = self._load(cwd, old)
        resumed = opened is not None
        self._updates.cost_before = session.spec.cost_before if resumed else Decimal(0)
        if opened is None:
            new = schema.NewSessionRequest(cwd=cwd, mcp_servers=[])
            opened = schema.NewSessionResponse.model_validate(self._wire.call(AGENT_METHODS["session_new"], new))
            old = opened.session_id
        self._id, self._hears = old, True
        name = self._info.title or self._info.name if self._info else ""
        session.tell(
            SessionStarted(session_id=old, agent=name, version=self.version, model=_model_of(opened), resumed=resumed)
        )
        return opened

    def _load(self, cwd: str, old: str) -> schema.LoadSessionResponse | None:
        """The session that goes on; what it tells of its past is not told again. None when the agent has lost it."""
        try:
            request = schema.LoadSessionRequest(cwd=cwd, session_id=old, mcp_servers=[])
            return schema.LoadSessionResponse.model_validate(self._wire.call(AGENT_METHODS["session_load"], request))
        except AgentError as error:
            if error.code == AUTH_REQUIRED:
                raise
            return None

    def _choose_model(self, opened: schema.NewSessionResponse | schema.LoadSessionResponse) -> None:
        model = self._session.spec.model
        if not model or _model_of(opened) == model:
            return
        option = _model_option(opened)
        if option is None:
            text = f"model {model!r}: this agent offers no choice over ACP; give it in the endpoint's command or env"
            raise SessionOver(EndReason.CRASHED, text)
        request = schema.SetSessionConfigOptionSelectRequest(config_id=option.id, session_id=self._id, value=model)
        self._wire.call(AGENT_METHODS["session_set_config_option"], request)

    def _prompt(self) -> SessionOver:
        self._is_prompted = True
        text = schema.TextContentBlock(type="text", text=self._session.spec.prompt)
        request = schema.PromptRequest(prompt=[text], session_id=self._id)
        try:
            answer = schema.PromptResponse.model_validate(self._wire.call(AGENT_METHODS["session_prompt"], request))
        except AgentError as error:
            return _over(error)
        except ValidationError as error:
            return SessionOver(EndReason.CRASHED, _unreadable(error))
        self._settle(answer)
        return SessionOver(REASONS[answer.stop_reason], _why(answer.stop_reason))

    def _settle(self, answer: schema.PromptResponse) -> None:
        if answer.usage is not None:
            self._session.settle(tokens(answer.usage), None)

    def _hear(self, method: str, params: Mapping[str, Any]) -> None:
        if method == CLIENT_METHODS["session_update"] and self._hears:
            for event in self._updates.events(params):
                self._session.tell(event)

    def _stop(self) -> None:
        """Ask it to stop, and wait for its last word for a while; what it still tells is not told any more."""
        self._hears = False
        self._wire.notify(AGENT_METHODS["session_cancel"], schema.CancelNotification(session_id=self._id))
        self._wire.give_up_pending(schema.RequestPermissionResponse(outcome=schema.DeniedOutcome(outcome="cancelled")))
        result = self._wire.last_word(time.monotonic() + GRACE_SECONDS)
        if result is not None:
            try:
                self._settle(schema.PromptResponse.model_validate(result))
            except ValidationError:
                return


def _over(error: AgentError) -> SessionOver:
    if error.code == AUTH_REQUIRED:
        return SessionOver.by(str(error), Failure(reason=EndReason.AUTH))
    return SessionOver.by(str(error))


def _unreadable(error: ValidationError) -> str:
    return f"the agent's answer is not as ACP has it: {error.errors()[0]['msg']}"


def _why(stop_reason: str) -> str:
    return "" if stop_reason == "end_turn" else f"the agent stopped: {stop_reason}"


def _model_option(
    opened: schema.NewSessionResponse | schema.LoadSessionResponse,
) -> schema.SessionConfigOptionSelect | None:
    selects = [one for one in opened.config_options or () if isinstance(one, schema.SessionConfigOptionSelect)]
    return next((one for one in selects if one.category == "model"), None)


def _model_of(opened: schema.NewSessionResponse | schema.LoadSessionResponse) -> str:
    option = _model_option(opened)
    return option.current_value if option else ""

"""One session as its driver sees it: what was told, what is due, how it ends. The same for every driver."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from foundation import clock
from orchestration.agents.base import Ask, OnEvent, SessionSpec
from orchestration.agents.drivers.failures import failure_of
from orchestration.agents.drivers.limits import LONGEST_WAIT
from orchestration.agents.drivers.over import SessionOver
from orchestration.agents.drivers.transcript import Transcript
from orchestration.core.agent import events
from orchestration.core.agent.session import Answer, Ended, EndReason, Question, Usage

MOST_TOKENS, MOST_COST, MOST_TURNS = 10**15, Decimal(10**9), 10**6
"""What an agent reports beyond these is no number of this session's; rows hold no more."""
LONGEST_ID = 200
"""Characters of what the agent calls its session, and a tool."""


class Session:
    """Progress, bounds, budget and questions of one session. Used by one thread."""

    def __init__(self, spec: SessionSpec, *, on_event: OnEvent, ask: Ask, cancelled: threading.Event) -> None:
        self.spec, self._ask, self._cancelled = spec, ask, cancelled
        self._on_event = on_event
        self.transcript = Transcript(spec.secrets, on_event)
        self._began = self._progress = time.monotonic()
        self.session_id, self.resumable = "", False
        self.usage = Usage()
        self.cost_usd: Decimal | None = None
        self.denied: list[str] = []
        self.turns, self._tools_done = 0, False
        self.exit_code: int | None = None
        self._told_retry = ""

    def tell(self, event: events.Event) -> None:
        """Hand an event on. Raises SessionOver when it shows that a limit is passed."""
        if isinstance(event, events.SessionStarted):
            self.session_id = self.transcript.clean(event.session_id, LONGEST_ID)
        if isinstance(event, events.Retrying):
            self._told_retry = event.error
        else:
            self.alive()
        self._count_turn(event)
        if isinstance(event, events.UsageReported):
            self.settle(event.usage, event.cost_usd)
            event = events.UsageReported(usage=self.usage, cost_usd=self.cost_usd)
        self.transcript.add(event)
        self._hold_to_limits()

    def alive(self) -> None:
        """The agent did something, though nothing that is told."""
        self._progress = time.monotonic()

    def settle(self, usage: Usage, cost_usd: Decimal | None) -> None:
        """What the session has used, known at its end: it is kept, and ends nothing any more."""
        given, output, cached = (min(max(one, 0), MOST_TOKENS) for one in (usage.input, usage.output, usage.cached))
        self.usage = Usage(input=given, output=output, cached=cached)
        if cost_usd is not None and cost_usd.is_finite():  # what was spent is not given back, whatever is said later
            self.cost_usd = max(min(cost_usd, MOST_COST), self.cost_usd or Decimal(0))

    def put(self, question: Question) -> Answer:
        """Ask, and return the answer. Raises SessionOver when nobody can answer now or the session was cancelled."""
        question = self.transcript.question(question)
        permission = question.kind == "permission"
        self.tell(events.PermissionNeeded(question=question) if permission else events.QuestionAsked(question=question))
        answer = self._ask(question)
        self.alive()
        self.look()
        if answer is None:
            raise SessionOver(EndReason.SUSPENDED, "it waits for an answer", question=question)
        chosen = next((one for one in question.options if one.id == answer.option), None)
        if answer.option and chosen is None:
            offered = ", ".join(one.id for one in question.options) or "none; answer with a text"
            raise ValueError(f"option {answer.option!r} is none of those that the agent offers: {offered}")
        if permission and (chosen is None or not chosen.allows):
            self.denied.append(question.tool)
        return answer

    def look(self) -> None:
        """Raises SessionOver when it was cancelled, took too long or has been silent for too long."""
        self.transcript.breathe()
        self._tell_notices()
        if self._cancelled.is_set():
            raise SessionOver(EndReason.CANCELLED, "the session was cancelled")
        now, spec = time.monotonic(), self.spec
        if now - self._began > spec.deadline_seconds:
            raise SessionOver(EndReason.TIMED_OUT, f"the session took longer than {spec.deadline_seconds:g} s")
        if now - self._progress > spec.stall_seconds:
            raise self._stalled()

    def ended(self, over: SessionOver) -> Ended:
        """The result; its TurnEnded is the last event."""
        self._tell_notices()
        error = self.transcript.clean(over.error)
        self.transcript.add(events.TurnEnded(reason=over.reason, error=error))
        at = clock.now()
        retry_at = over.retry_at if over.retry_at is not None and over.retry_at.tzinfo is not None else None
        if over.retry_after is not None:
            retry_at = at + timedelta(seconds=over.retry_after)
        if retry_at is not None:
            retry_at = min(retry_at, at + timedelta(seconds=LONGEST_WAIT))
        return Ended(
            reason=over.reason,
            text=self.transcript.last_text,
            session_id=self.session_id,
            resumable=self.resumable,
            usage=self.usage,
            cost_usd=self.cost_usd,
            denied=tuple(dict.fromkeys(self.transcript.clean(tool, LONGEST_ID) for tool in self.denied)),
            turns=min(max(self.turns, 0), MOST_TURNS),
            exit_code=self.exit_code,
            error=error,
            retry_at=retry_at,
            question=None if over.question is None else self.transcript.question(over.question),
            dropped=self.transcript.dropped,
        )

    def _tell_notices(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self.transcript.aside(events.Notice(text=self.spec.notices.get_nowait()))

    def _stalled(self) -> SessionOver:
        """One that was refused again and again has that reason."""
        text = f"no event for {self.spec.stall_seconds:g} s"
        if not self._told_retry:
            return SessionOver(EndReason.STALLED, text)
        failure = failure_of(self._told_retry)
        text = f"{text}; last it tried its model again: {self._told_retry}"
        if failure.reason is EndReason.CRASHED:
            return SessionOver(EndReason.STALLED, text)
        return SessionOver.by(text, failure)

    def _count_turn(self, event: events.Event) -> None:
        """A round with the model begins with what it says first, and again after results of tools."""
        if isinstance(event, events.Message | events.Thought | events.ToolStarted) and (
            self._tools_done or self.turns == 0
        ):
            self.turns, self._tools_done = self.turns + 1, False
        elif isinstance(event, events.ToolDone):
            self._tools_done = True

    def _hold_to_limits(self) -> None:
        spec = self.spec
        if spec.max_turns is not None and self.turns > spec.max_turns:
            raise SessionOver(EndReason.MAX_TURNS, f"more than {spec.max_turns} rounds")
        cost = self.cost_usd if self.cost_usd is not None else spec.cost_of(self.usage)
        if spec.max_cost_usd is not None and cost is not None and cost >= spec.max_cost_usd:
            raise SessionOver(EndReason.OVER_BUDGET, f"it has cost {cost} USD of at most {spec.max_cost_usd}")


def hold(
    spec: SessionSpec,
    talk: Callable[[Session], SessionOver],
    *,
    on_event: OnEvent,
    ask: Ask,
    cancelled: threading.Event,
) -> Ended:
    """Hold a session: `talk` returns or raises how it was over."""
    session = Session(spec, on_event=on_event, ask=ask, cancelled=cancelled)
    try:
        session.look()
        over = talk(session)
    except SessionOver as error:
        over = error
    return session.ended(over)

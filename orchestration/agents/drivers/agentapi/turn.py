"""One turn of an agent behind agentapi, followed by asking again and again.

Its messages change while they are written, and events can be lost, so the list is asked for: it is always whole.
"""

from __future__ import annotations

import contextlib
import time
from datetime import datetime

from orchestration.agents.drivers.agentapi.client import AgentApiClient, Refused, Unreachable
from orchestration.agents.drivers.agentapi.screen import LIMITED, SIGNED_OUT, menu
from orchestration.agents.drivers.failures import Failure, failure_of
from orchestration.agents.drivers.over import SessionOver
from orchestration.agents.drivers.session import Session
from orchestration.core.agent.events import Message
from orchestration.core.agent.session import EndReason, Option, Question

LOOK_SECONDS = 0.3
SETTLE_SECONDS = 1.0
"""How long a terminal has to be free until its turn is over; agentapi itself calls two still seconds free."""
GRACE_SECONDS = 8.0
INTERRUPT = "\x03"
LONGEST_SCREEN = 1_500
"""Characters of a message that may be a screen, such as a login; what is longer is work that only mentions one."""


class Turn:
    """`hold` says the prompt and returns how it ended."""

    def __init__(self, session: Session, client: AgentApiClient) -> None:
        self._session, self._client = session, client
        self._told: dict[int, str] = {}
        self._from = 0

    def hold(self) -> SessionOver:
        """Raises SessionOver, Unreachable and Refused too; the agent is interrupted then."""
        spec = self._session.spec
        self._from = max((one["id"] for one in self._client.messages()), default=-1) + 1
        with contextlib.ExitStack() as unless_over:
            unless_over.callback(self._interrupt)
            self._client.say(f"Work in the folder {spec.cwd}\n\n{spec.prompt.strip()}")
            self._session.alive()
            over = self._follow()
            unless_over.pop_all()
            return over

    def _follow(self) -> SessionOver:
        free_since: float | None = None
        activity: object = None
        while True:
            status = self._client.status()
            if status.get("activity") != activity:
                activity = status.get("activity")
                self._session.alive()
            self._hear(final=False)
            self._session.look()
            if status["status"] == "running":
                free_since = None
            elif status.get("question"):
                self._answer(_question_of(status["question"]))
                free_since = None
            elif status.get("turn"):
                self._hear(final=True)
                return _over(status["turn"])
            elif free_since is None:
                free_since = time.monotonic()
            elif "turn" not in status and time.monotonic() - free_since > SETTLE_SECONDS:
                if (ended := self._settled()) is not None:
                    return ended
                free_since = None
            time.sleep(LOOK_SECONDS)

    def _settled(self) -> SessionOver | None:
        """A terminal that is free. None when it had only asked something."""
        last = self._hear(final=False)
        question = menu(last)
        if question is not None and len(last) - last.rfind(question.text[-40:]) < LONGEST_SCREEN:
            self._answer(question)
            return None
        self._hear(final=True)
        if len(last) < LONGEST_SCREEN:
            if SIGNED_OUT.search(last):
                return SessionOver.by(last[-500:], Failure(reason=EndReason.AUTH))
            if LIMITED.search(last):
                found = failure_of(last)
                failure = Failure(reason=EndReason.RATE_LIMITED, retry_after=found.retry_after, retry_at=found.retry_at)
                return SessionOver.by(last[-500:], failure)
        return SessionOver(EndReason.END_TURN)

    def _answer(self, question: Question) -> None:
        answer = self._session.put(question)
        if answer.option:
            self._client.press(answer.option)
        else:
            self._client.say(answer.text.strip() or "no")

    def _hear(self, *, final: bool) -> str:
        """Tell what is new in the agent's messages; return the last one. A line is told once it is followed by
        another."""
        last = ""
        for one in self._client.messages():
            if one["id"] < self._from or one.get("role") != "agent":
                continue
            last = str(one.get("content", ""))
            known = self._told.get(one["id"], "")
            if last == known:
                continue
            whole = last if final else last[: last.rfind("\n") + 1]
            if whole.startswith(known) and len(whole) > len(known):
                self._session.tell(Message(text=whole[len(known) :], message_id=str(one["id"])))
                self._told[one["id"]] = whole
            elif final and not last.startswith(known):
                self._session.tell(Message(text=f"\n{last}", message_id=str(one["id"])))
                self._told[one["id"]] = last
        return last

    def _interrupt(self) -> None:
        """Ask it to stop, and wait until it has, for a while."""
        until = time.monotonic() + GRACE_SECONDS
        try:
            self._client.press(INTERRUPT)
            while time.monotonic() < until and self._client.status()["status"] != "stable":
                time.sleep(LOOK_SECONDS)
        except (Unreachable, Refused):
            return


def _question_of(told: dict[str, object]) -> Question:
    """Of our own server, which says what is asked."""
    options = told.get("options")
    return Question(
        id="question",
        kind="permission" if told.get("kind") == "permission" else "question",
        text=str(told.get("text", "")),
        tool=str(told.get("tool", "")),
        options=tuple(
            Option(id=str(one["id"]), label=str(one["label"]), allows=one.get("allows"))
            for one in (options if isinstance(options, list) else ())
            if isinstance(one, dict)
        ),
    )


def _over(turn: dict[str, object]) -> SessionOver:
    """Of our own server, which says how the turn ended."""
    retry_at, reason = turn.get("retry_at"), str(turn.get("reason"))
    try:
        moment = datetime.fromisoformat(retry_at) if isinstance(retry_at, str) and retry_at else None
        return SessionOver(EndReason(reason), str(turn.get("error", "")), retry_at=moment)
    except ValueError:
        return SessionOver(EndReason.CRASHED, f"the server says {reason!r} of the end of its turn")

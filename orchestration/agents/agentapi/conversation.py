"""One conversation with an agent: turn by turn, each a session of its driver that goes on where the last one
ended."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Literal

from foundation.clock import iso
from foundation.guarded import guarded
from orchestration.agents.base import Answer, Driver, Ended, EndReason, Question, SessionSpec
from orchestration.core.agent.events import Event, Message, ToolStarted
from orchestration.core.agent.session import Option

INTERRUPT = ("\x03", "\x1b")
Now = Callable[[], datetime]
Done = Callable[[], None]
LONGEST_MESSAGE = 256 * 1024
MOST_MESSAGES = 2_000
MOST_AHEAD = 1_024
"""Events that a reader may be behind; a slower one is let go, as agentapi does."""


class Busy(Exception):
    """A message came while the agent works."""


class NotAMessage(Exception):
    """Why it is none."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event for readers."""

    id: int
    name: Literal["message_update", "status_change", "agent_error"]
    data: dict[str, Any]


class Conversation:
    """Safe for threads. `spec` is the template of every turn; its prompt is replaced."""

    def __init__(
        self, driver: Driver, spec: SessionSpec, agent_type: str, *, now: Now, done: Callable[[], None]
    ) -> None:
        """`done` is called in the thread of a turn at its end, to let go of what that thread opened."""
        self._now = now
        self._driver, self._spec, self.agent_type, self._done = driver, spec, agent_type.lower(), done
        self._lock = threading.RLock()
        self._messages: list[dict[str, Any]] = []
        self._readers: list[queue.Queue[Told | None]] = []
        self._count = self._activity = 0
        self._session_id = spec.session_id
        self._running, self._cancelled = False, threading.Event()
        self._question: Question | None = None
        self._answers: queue.Queue[str] = queue.Queue()
        self._ended: Ended | None = None
        self._thread: threading.Thread | None = None

    def status(self) -> dict[str, Any]:
        """As agentapi; `turn`, `question`, `session_id` and `activity`, which grows with every event, are ours."""
        with self._lock:
            ended = self._ended
            turn = {"reason": ended.reason, "error": ended.error, "retry_at": iso(ended.retry_at)} if ended else None
            asked = self._question
            question = _shown(asked) if asked else None
            status = "running" if self._running and asked is None else "stable"
            told = {"status": status, "agent_type": self.agent_type, "transport": "acp"}
            ours = {"turn": turn, "question": question, "session_id": self._session_id, "activity": self._activity}
            return {**told, **ours}

    def messages(self) -> list[dict[str, Any]]:
        """All that were said, in order."""
        with self._lock:
            return [dict(one) for one in self._messages]

    def say(self, text: str) -> None:
        """A message of the user: the next prompt, or the answer to what was asked. Raises Busy, NotAMessage."""
        if text != text.strip():
            raise NotAMessage("message must be trimmed of leading and trailing whitespace")
        if not text or len(text) > LONGEST_MESSAGE:
            raise NotAMessage("message must not be empty" if not text else "message is too long")
        with self._lock:
            if self._running and self._question is None:
                raise Busy
            self._add("user", text)
            if self._question is not None:
                self._answers.put(text)
                return
            self._running, self._ended = True, None
            self._cancelled.clear()
            self._tell_status()
            self._thread = threading.Thread(target=self._turn, args=(text,), daemon=True)
            self._thread.start()

    def press(self, keys: str) -> None:
        """Keystrokes, which are not kept: an interruption, or the number of an answer."""
        with self._lock:
            if any(key in keys for key in INTERRUPT):
                self._cancelled.set()
                self._answers.put("")
            elif self._question is not None and keys.strip():
                self._answers.put(keys.strip())

    def close(self, seconds: float) -> None:
        """End the turn and the readers."""
        self._cancelled.set()
        self._answers.put("")
        if self._thread is not None:
            self._thread.join(seconds)
        with self._lock:
            for reader in self._readers:
                reader.put(None)

    def read(self, seconds: float) -> Iterator[Told | None]:
        """All that was said, then what comes; None when nothing came in that time. Ends with the conversation."""
        mine: queue.Queue[Told | None] = queue.Queue()
        with self._lock:
            for one in self._messages:
                mine.put(self._told("message_update", _update(one)))
            mine.put(self._told("status_change", self._status_change()))
            self._readers.append(mine)
        try:
            while True:
                try:
                    told = mine.get(timeout=seconds)
                except queue.Empty:
                    yield None
                    continue
                if told is None:
                    return
                yield told
        finally:
            with self._lock:
                if mine in self._readers:
                    self._readers.remove(mine)

    def _turn(self, text: str) -> None:
        spec = replace(self._spec, prompt=text, session_id=self._session_id)
        run = partial(self._driver.run, spec, on_event=self._hear, ask=self._ask, cancelled=self._cancelled)
        try:
            ended = guarded(run, _broken)
        finally:
            self._done()
        with self._lock:
            self._running, self._question, self._ended = False, None, ended
            self._session_id = ended.session_id if ended.resumable else ""
            if ended.error:
                self._publish("agent_error", {"message": ended.error, "level": "error", "time": iso(self._now())})
            self._tell_status()

    def _hear(self, event: Event) -> None:
        with self._lock:
            self._activity += 1
            match event:
                case Message():
                    self._append(event.text)
                case ToolStarted():
                    self._append(f"\n● {event.name} {event.title}\n")

    def _ask(self, question: Question) -> Answer | None:
        with self._lock:
            self._append(f"\n{question.text}\n" + "".join(f"{n}. {label}\n" for n, label in _numbered(question)))
            while not self._answers.empty():
                self._answers.get_nowait()
            self._question = question
            self._tell_status()
        text = self._answers.get()
        with self._lock:
            self._question = None
            self._tell_status()
        return answer_of(question, text)

    def _append(self, text: str) -> None:
        """To the agent's message that is the last one, or a new one."""
        if not self._messages or self._messages[-1]["role"] != "agent":
            self._add("agent", text.lstrip("\n"))
            return
        last = self._messages[-1]
        last["content"] = (last["content"] + text)[-LONGEST_MESSAGE:]
        self._publish("message_update", _update(last))

    def _add(self, role: str, text: str) -> None:
        if len(self._messages) >= MOST_MESSAGES:
            del self._messages[0]
        identity = self._messages[-1]["id"] + 1 if self._messages else 0
        self._messages.append({"id": identity, "role": role, "content": text, "time": iso(self._now())})
        self._publish("message_update", _update(self._messages[-1]))

    def _status_change(self) -> dict[str, Any]:
        return {key: value for key, value in self.status().items() if key in ("status", "agent_type")}

    def _tell_status(self) -> None:
        self._publish("status_change", self._status_change())

    def _told(self, name: Any, data: dict[str, Any]) -> Told:
        self._count += 1
        return Told(self._count, name, data)

    def _publish(self, name: Any, data: dict[str, Any]) -> None:
        told = self._told(name, data)
        for reader in list(self._readers):
            if reader.qsize() > MOST_AHEAD:
                self._readers.remove(reader)
                reader.put(None)
            else:
                reader.put(told)


def _broken(error: Exception) -> Ended:
    """Whoever asked has to hear of it."""
    return Ended(reason=EndReason.CRASHED, error=f"{type(error).__name__}: {error}")


def answer_of(question: Question, text: str) -> Answer | None:
    """What a text means: the number, the id or the label of an option, or itself. None for an empty one."""
    wanted = text.strip().rstrip(".").lower()
    for number, option in enumerate(question.options, 1):
        if wanted in {str(number), option.id.lower(), option.label.lower()}:
            return Answer(option=option.id)
    if not wanted:
        return None
    if question.kind == "permission":
        return Answer(option=_refusal(question.options))
    return Answer(text=text)


def _refusal(options: tuple[Option, ...]) -> str:
    return next((one.id for one in options if one.allows is False), "")


def _numbered(question: Question) -> list[tuple[int, str]]:
    return [(number, option.label) for number, option in enumerate(question.options, 1)]


def _shown(question: Question) -> dict[str, Any]:
    options = [{"id": one.id, "label": one.label, "allows": one.allows} for one in question.options]
    return {"kind": question.kind, "text": question.text, "tool": question.tool, "options": options}


def _update(message: dict[str, Any]) -> dict[str, Any]:
    """agentapi's events say `message` where its list says `content`."""
    return {"id": message["id"], "role": message["role"], "message": message["content"], "time": message["time"]}

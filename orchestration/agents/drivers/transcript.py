"""What leaves a session: texts without secrets, in bounds, pieces of a message joined."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from foundation.secrets.redaction import MASK, redact
from orchestration.core.agent.events import (
    Event,
    Message,
    Notice,
    PlanShown,
    Retrying,
    Thought,
    ToolDone,
    ToolStarted,
    from_json,
    to_json,
)
from orchestration.core.agent.session import Question

LONGEST_TEXT = 16 * 1024
"""Characters of one text."""
LOOKED_AT = 64 * 1024
"""Characters of one text in which secrets are looked for; it is cut after that, so no half of one is left."""
MOST_ITEMS = 50
MOST_ID = 200
MOST_TEXT = 2 * 1024 * 1024
"""Characters of all events of a session."""
MOST_EVENTS = 5_000
HELD_SECONDS = 1.0
"""How long a piece of a message waits for the rest of its line."""
QUIET_SECONDS = 2.0
"""How long its last word waits for the rest of that word, when nothing more comes."""
LONGEST_WORD = 40
PLAIN_WORD = re.compile(rf"[^\W\d_]{{0,{LONGEST_WORD}}}[.,:;!?…)\]\"'*`]{{0,4}}\Z")
"""What may be handed on though it could go on: no token or key looks like it."""
LONGEST_HELD = 2_000
LONGEST_QUESTION = 4_000
"""Characters of what is asked: as many as are kept and shown wherever people answer."""
CUT, LONGEST_CUT = "\n… cut: it has {count} characters, and the SHA-256 {digest}", 200
BOUNDED = (Message, Thought, PlanShown, Retrying, Notice, ToolStarted, ToolDone)
"""Kinds that are kept back when there are too many; the others are few, and the session's course hangs on them."""


class Transcript:
    """Hands events on to `send`; `last_text` is the last whole message so far."""

    def __init__(self, secrets: Iterable[str], send: Callable[[Event], None]) -> None:
        self._secrets = tuple(sorted((one for one in secrets if len(one) >= 4), key=len, reverse=True))
        self._send = send
        self._held: Message | Thought | None = None
        self._held_since = self._heard_at = 0.0
        self._events = self._characters = self.dropped = 0
        self._last, self._last_id, self._goes_on = "", "", False

    @property
    def last_text(self) -> str:
        """The agent's last message, its end where it is long."""
        return self._clean(self._last)[-LONGEST_TEXT:].strip()

    def add(self, event: Event) -> None:
        """Hand it on, or hold a piece of a message until its line is whole: half a secret is not recognised."""
        if isinstance(event, Message | Thought):
            self._remember(event)
            self._join(event)
            return
        self._goes_on = False
        self.flush()
        self._pass(event)

    def aside(self, event: Notice) -> None:
        """Hand on what is not of the agent: its message, of which a piece may be held, goes on."""
        self._pass(event)

    def breathe(self) -> None:
        """Called again and again: hands on, up to its last whole word, what has been held long enough; the last word
        too, once nothing more has come, unless it may be half a secret."""
        now = time.monotonic()
        if self._held is not None and now - self._held_since > HELD_SECONDS:
            self._hand_on_whole_words()
        if self._held is not None and now - self._heard_at > QUIET_SECONDS and self._is_plain(self._held.text):
            self.flush()

    def flush(self) -> None:
        """Hand on all that is held."""
        held, self._held = self._held, None
        if held is not None and held.text:
            self._pass(held)

    def _remember(self, event: Message | Thought) -> None:
        if isinstance(event, Thought):
            self._goes_on = False
            return
        same = self._goes_on and event.message_id == self._last_id
        self._last = ((self._last if same else "") + event.text)[-LOOKED_AT:]
        self._last_id, self._goes_on = event.message_id, True

    def _is_plain(self, text: str) -> bool:
        """Whether a word is no beginning of a secret, by its look or because it is known."""
        begun = any(secret.startswith(text[-length:]) for secret in self._secrets for length in range(1, len(text) + 1))
        return PLAIN_WORD.match(text) is not None and not begun

    def _join(self, event: Message | Thought) -> None:
        held, self._heard_at = self._held, time.monotonic()
        if held is None or type(held) is not type(event) or _id(held) != _id(event):
            self.flush()
            self._held, self._held_since = event, time.monotonic()
        else:
            self._held = _with_text(held, held.text + event.text)
        if len(self._held.text) > LONGEST_HELD if self._held else False:
            self._hand_on_whole_words()

    def _hand_on_whole_words(self) -> None:
        """All but the last word; one that is very long is no secret."""
        held = self._held
        if held is None:
            return
        end = max(held.text.rfind(" "), held.text.rfind("\n")) + 1
        if end == 0 and len(held.text) > LONGEST_HELD:
            end = len(held.text)
        if end:
            self._pass(_with_text(held, held.text[:end]))
            rest = held.text[end:]
            self._held = _with_text(held, rest) if rest else None
        self._held_since = time.monotonic()

    def _pass(self, event: Event) -> None:
        if isinstance(event, BOUNDED) and (self._events >= MOST_EVENTS or self._characters >= MOST_TEXT):
            self.dropped += 1
            return
        value = self._bounded(to_json(event))
        self._events += 1
        self._characters += len(str(value))
        self._send(from_json(value))

    def _bounded(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._clean(value[:LOOKED_AT])[:LONGEST_TEXT]
        if isinstance(value, list):
            return [self._bounded(item) for item in value[:MOST_ITEMS]]
        if isinstance(value, dict):
            return {key: self._bounded(item) for key, item in value.items()}
        return value

    def clean(self, text: str, limit: int = 4_000) -> str:
        """Any other text that leaves the session, such as an error."""
        return self._clean(text[:LOOKED_AT])[:limit]

    def question(self, asked: Question) -> Question:
        """What is asked, as people may read it and a database can keep it."""
        return replace(
            asked,
            id=self.clean(asked.id, MOST_ID),
            text=self._asked(asked.text),
            tool=self.clean(asked.tool, MOST_ID),
            options=tuple(
                replace(one, id=self.clean(one.id, MOST_ID), label=self.clean(one.label, MOST_ID))
                for one in asked.options[:MOST_ITEMS]
            ),
        )

    def _asked(self, text: str) -> str:
        """Whole, or told to be cut with a digest of the whole: who agrees to its beginning agrees to this end alone."""
        shown = self.clean(text, LONGEST_QUESTION)
        if len(text) <= LONGEST_QUESTION:
            return shown
        digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()
        return f"{shown[: LONGEST_QUESTION - LONGEST_CUT]}{CUT.format(count=len(text), digest=digest)}"

    def _clean(self, text: str) -> str:
        text = storable(text)
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return str(redact(text)) if text else text


def storable(text: str) -> str:
    """The text without what no database keeps and no file can hold: NUL, and halves of characters."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def _id(event: Message | Thought) -> str:
    return event.message_id if isinstance(event, Message) else ""


def _with_text(event: Message | Thought, text: str) -> Message | Thought:
    return Message(text=text, message_id=event.message_id) if isinstance(event, Message) else Thought(text=text)

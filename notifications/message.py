"""The arguments of this app's services, and what its listeners are called with. Plain values."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from foundation.errors import BadInput
from foundation.identity.names import same_address
from foundation.visible_text import clean, one_line

LONGEST_TITLE, LONGEST_TEXT, LONGEST_URL = 300, 50_000, 2000
MOST_BUTTONS, LONGEST_LABEL, LONGEST_VALUE = 5, 75, 2000
STYLES = ("", "primary", "danger")
_MARKUP = re.compile(r"[\\`*_\[\]<>~|&#]|^[-+=]")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])")
"""What Markdown would take for more than a character, in one line of text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """For Slack: `value` comes back when it is pressed."""

    label: str
    value: str
    style: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message. `text` is Markdown. `url`: for people without a link of their own."""

    title: str
    text: str
    url: str = ""
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """`url`: this person's own link. `id`: who it is without an account, where their address alone does not say it."""

    user_id: int | None
    name: str
    email: str = ""
    url: str = ""
    id: str = ""

    @property
    def key(self) -> str:
        """By which rows name this person: user:7, `id`, or email: with the address."""
        return f"user:{self.user_id}" if self.user_id is not None else self.id or f"email:{same_address(self.email)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEnded:
    """What listeners are called with: it was sent, or it is dead.

    `person`: whom it was for, by their key; '' for a channel. `dedupe`: of the notice.
    """

    subject: str
    kind: str
    user_id: int | None
    channel: str
    sent: bool
    at: datetime
    person: str = ""
    dedupe: str = ""


def checked(message: Message) -> Message:
    """The message as it is stored and sent, its texts cleaned of hidden characters.

    Raises:
        BadInput: no title, or a text, address or button that is too long or not usable.
    """
    title = one_line(message.title, LONGEST_TITLE + 1)
    if not title:
        raise BadInput("a message needs a title", field="title", value=message.title, remedy="say what it is about")
    _within("title", title, LONGEST_TITLE)
    text = clean(message.text)
    _within("text", text, LONGEST_TEXT)
    if len(message.buttons) > MOST_BUTTONS:
        given = str(len(message.buttons))
        raise BadInput(f"{given} buttons are too many", field="buttons", value=given, remedy=f"{MOST_BUTTONS} at most")
    return replace(
        message, title=title, text=text, url=checked_url(message.url), buttons=tuple(map(_button, message.buttons))
    )


def checked_url(url: str) -> str:
    """'' or a link that a person may follow."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc or clean(url) != url or " " in url:
        remedy = "an absolute link, such as https://zen.example.com/inbox/17/"
        raise BadInput(f"{url[:100]!r} is not a link", field="url", value=url[:100], remedy=remedy)
    _within("url", url, LONGEST_URL)
    return url


def _button(button: Button) -> Button:
    label = one_line(button.label, LONGEST_LABEL)
    if not label or not button.value or button.style not in STYLES:
        remedy = "a label, a value, and the style primary, danger or none"
        raise BadInput("a button is not well formed", field="buttons", value=repr(button)[:200], remedy=remedy)
    _within("buttons", button.value, LONGEST_VALUE)
    return replace(button, label=label)


def _within(field: str, value: str, most: int) -> None:
    if len(value) > most:
        remedy = f"{most:,} characters at most"
        raise BadInput(f"the {field} is too long", field=field, value=value[:60], remedy=remedy)


def verbatim(text: str) -> str:
    """Markdown that shows this text as it is, on one line: for words that nobody of ours has written."""
    line = _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
    return _NUMBERED.sub(r"\1\\\2", line)


def as_json(buttons: tuple[Button, ...]) -> list[dict[str, Any]]:
    return [{"label": button.label, "value": button.value, "style": button.style} for button in buttons]

"""What a sender gets and gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One notice. `text` is Markdown; each button is (label, value, style)."""

    id: int
    subject: str
    title: str
    text: str
    url: str
    buttons: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """`target` and `token` still hold references to secrets. `changes`: the message to be changed, if it is one."""

    id: int
    subject: str
    kind: str
    target: str
    token: str
    address: str
    name: str
    items: tuple[Item, ...]
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        first = self.items[0].title
        return first if len(self.items) == 1 else f"{first} (and {len(self.items) - 1} more)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`error` is '' when it was sent. `permanent`: another attempt would end the same."""

    error: str = ""
    permanent: bool = False
    retry_after: float | None = None
    reference: dict[str, Any] = field(default_factory=dict)

    @property
    def is_sent(self) -> bool:
        return not self.error


def of_status(status: int, said: str, retry_after: float | None = None) -> Outcome:
    """By an HTTP status that is not a success: 408, 429 and 5xx pass, the others stay."""
    permanent = status < 500 and status not in (408, 429)
    return Outcome(error=f"it answered {status}: {said}", permanent=permanent, retry_after=retry_after)

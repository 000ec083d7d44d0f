"""What the driver needs to know of one command line."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from orchestration.agents.base import SessionSpec
from orchestration.agents.drivers.lines import object_of
from orchestration.agents.drivers.over import SessionOver
from orchestration.core.agent.events import Event
from orchestration.core.agent.session import Usage

SHOWN = 2_000
LAST_SECONDS = 10.0
"""How long a program may take to end after its last word."""


class Reader(ABC):
    """Reads one session's output. What it has gathered is valid at any time, also when the session is cut off.

    `denied`: names of refused tools. `turns`: rounds as the agent counts them; None when it does not. `finished`: the
    agent's last word was read, so no more is waited for; `silence`: it may have been read, and was if nothing
    comes for so many seconds. `strange`: lines in a row that were no event.
    """

    def __init__(self, spec: SessionSpec) -> None:
        self.spec = spec
        self.usage, self.denied = Usage(), list[str]()
        self.cost_usd: Decimal | None = None
        self.turns: int | None = None
        self.silence: float | None = None
        self.finished, self.strange = False, 0

    @abstractmethod
    def events(self, line: str) -> Iterable[Event]:
        """What a line of stdout tells; nothing is a sign of life too, unless `strange` counts it."""

    @abstractmethod
    def over(self) -> SessionOver | None:
        """How the session ended, by the agent's own result; None when it left none."""


class JsonReader(Reader):
    """Of lines that are JSON objects with a `type`."""

    def events(self, line: str) -> Iterable[Event]:
        """See `Reader`."""
        value = object_of(line)
        if value is None or "type" not in value:
            self.strange += 1
            return ()
        self.strange = 0
        return self.read(value)

    @abstractmethod
    def read(self, value: dict[str, Any]) -> Iterable[Event]:
        """What one object tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """How a command line is called.

    `arguments`: given the spec and the endpoint's own words, the words that follow the program. `by_argument`: the
    prompt is one of them, not its input. `lost`: what it says of a session that it cannot resume. `signed_in`: from
    the spec and the program's environment; None when that cannot be told.
    """

    program: str
    name: str
    arguments: Callable[[SessionSpec, Sequence[str]], list[str]]
    reader: Callable[[SessionSpec], Reader]
    signed_in: Callable[[Mapping[str, str]], bool | None]
    sign_in: str
    """How a person signs in, to be read after "not signed in; "."""
    lost: re.Pattern[str] | None = None
    by_argument: bool = False
    version: tuple[str, ...] = ("--version",)
    env: Mapping[str, str] = field(default_factory=dict)


def has(words: Sequence[str], *options: str) -> bool:
    """Whether the endpoint's own words have one of these options, also as --option=value."""
    return any(word == option or word.startswith(f"{option}=") for word in words for option in options)


def shown(value: object) -> str:
    """Input or output of a tool, to be read."""
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))[:SHOWN]


def count(value: object) -> int:
    """A number of tokens; 0 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def dollars(value: object) -> Decimal | None:
    """A cost as the agent says it; None for what is none."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and found >= 0 else None


def paths_of(given: object) -> tuple[str, ...]:
    """Files that the input of a tool names."""
    if not isinstance(given, dict):
        return ()
    keys = ("file_path", "filePath", "path", "notebook_path", "absolute_path")
    return tuple(str(given[key]) for key in keys if isinstance(given.get(key), str))

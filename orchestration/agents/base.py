"""The contract of drivers. Every driver passes one suite of tests
(tests/orchestration/agents/test_conformance.py)."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Literal, Protocol

from orchestration.core.agent.events import Event
from orchestration.core.agent.session import Answer, Ended, EndReason, Health, Option, Question, Usage

__all__ = [
    "UNBOUND",
    "Answer",
    "Bounds",
    "Driver",
    "EndReason",
    "Ended",
    "Health",
    "Option",
    "Question",
    "Sandbox",
    "SessionSpec",
    "Usage",
]


def _unpriced(usage: Usage) -> Decimal | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a program and all that came of it may have together; 0 for no bound. With or without bubblewrap.

    `memory_bytes`: of their own, and of the files in its private /tmp. `processes`: and threads. `nice`: how far behind
    the worker and the site they stand in line for the processors.
    """

    memory_bytes: int = 0
    processes: int = 0
    nice: int = 0


UNBOUND = Bounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """What an agent's processes may touch. Every path is absolute.

    mode `required`: refused without bubblewrap; `if_possible`: without it only a process group; `off`. Inside, the
    session's `cwd` is writable but for its `.git`, `/tmp` is private, the rest of the machine is read-only.
    `writable`: more that it may write, such as the folder in which the agent keeps its sessions; one that is not
    there is left out. `hidden`: files and folders that it may not even read; `readable`: what it may read
    though it lies in a hidden folder or in /tmp (the command's own folders need no mention). network `none`: loopback
    of its own and nothing else; `hosts`: besides that the `hosts` of its list, by a proxy. A list is kept or the
    program is refused, in every mode.
    """

    mode: Literal["required", "if_possible", "off"] = "if_possible"
    writable: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()
    readable: tuple[Path, ...] = ()
    network: Literal["host", "none", "hosts"] = "host"
    hosts: tuple[str, ...] = ()
    bounds: Bounds = UNBOUND


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpec:
    """What a driver needs. Everything is absolute and resolved: it looks up no setting, secret or row.

    `command`: the program and its arguments, for drivers that start one; `url`: for those that reach one. `env`: all
    of the program's environment but for PATH, HOME and LANG, which it gets from the worker unless they are here.
    `model`: '' for the agent's own choice. `session_id`: of the session to resume; '' begins one, and `used_before` and
    `cost_before` are what it has used so far, since some agents count from a session's beginning. `stall_seconds`:
    how long no event may come; `deadline_seconds`: how long the session may take. `max_cost_usd` ends it as
    over_budget, by what the agent reports or else by `cost_of` the tokens. `secrets`: values to be taken out of every
    text. `notices`: what its sandbox has to say meanwhile.
    """

    cwd: Path
    prompt: str
    command: tuple[str, ...] = ()
    url: str = ""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    model: str = ""
    max_turns: int | None = None
    stall_seconds: float = 300.0
    deadline_seconds: float = 3600.0
    sandbox: Sandbox = field(default_factory=Sandbox)
    session_id: str = ""
    used_before: Usage = field(default_factory=Usage)
    cost_before: Decimal = Decimal(0)
    max_cost_usd: Decimal | None = None
    cost_of: Callable[[Usage], Decimal | None] = _unpriced
    secrets: tuple[str, ...] = field(default=(), repr=False)
    notices: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue, repr=False, compare=False)


OnEvent = Callable[[Event], None]
Ask = Callable[[Question], Answer | None]


class Driver(Protocol):
    """One way to hold a session with an agent. It keeps nothing between two sessions and may be shared by threads."""

    def run(self, spec: SessionSpec, *, on_event: OnEvent, ask: Ask, cancelled: threading.Event) -> Ended:
        """Hold the session until its turn has ended; return how. The agent's processes are gone then.

        `on_event` and `ask` are called in the thread of the caller, which has no running event loop, one at a time
        and in order. An exception that they raise ends the session and comes out of here. `ask` may take its time: a
        session is not stalled meanwhile. It returns None when nobody can answer now: then the turn ends as
        `suspended`, with the question in the result. `cancelled` ends the session within seconds, also while it is
        silent; set it while `ask` waits, and `ask` has to return.

        Never raises for what an agent does: that is in the result. The last event is always a TurnEnded.
        """
        ...

    def check(self, spec: SessionSpec) -> Health:
        """Whether a session could begin: installed, which version, signed in. Spends no tokens and takes seconds."""
        ...

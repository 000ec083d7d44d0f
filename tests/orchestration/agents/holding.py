"""Holds a session with an agent that does as it is told, and keeps what was heard."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from orchestration.agents.base import Answer, Driver, Ended, Question, Sandbox, SessionSpec
from orchestration.agents.process import strays
from orchestration.core.agent.events import Event

MARK = "ZEN_TEST_SESSION"
TASK = "Task t1\nBuild a thing that greets the moon.\n"
EventKind = TypeVar("EventKind")


@dataclass
class Agent:
    """A driver, and how its agent is told to behave. `abilities`: what this kind of agent has at all."""

    driver: Driver
    cwd: Path
    tell: Callable[[SessionSpec, str], SessionSpec]
    abilities: frozenset[str]
    close: Callable[[], object] = lambda: None
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    events: list[Event] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def spec(self, behaviour: str = "write", **changes: Any) -> SessionSpec:
        given: dict[str, Any] = {
            "cwd": self.cwd,
            "prompt": TASK,
            "env": {MARK: self.mark},
            "stall_seconds": 60.0,
            "deadline_seconds": 120.0,
            "sandbox": Sandbox(mode="if_possible"),
        }
        env = {**given["env"], **changes.pop("env", {})}
        return self.tell(SessionSpec(**{**given, **changes, "env": env}), behaviour)

    def hold(
        self,
        behaviour: str = "write",
        *,
        answer: Callable[[Question], Answer | None] = lambda _: None,
        cancelled: threading.Event | None = None,
        heard: Callable[[Event], None] = lambda _: None,
        **changes: Any,
    ) -> Ended:
        def on_event(event: Event) -> None:
            self.events.append(event)
            heard(event)

        def ask(question: Question) -> Answer | None:
            self.questions.append(question)
            return answer(question)

        spec = self.spec(behaviour, **changes)
        return self.driver.run(spec, on_event=on_event, ask=ask, cancelled=cancelled or threading.Event())

    def heard(self, kind: type[EventKind]) -> list[EventKind]:
        return [event for event in self.events if isinstance(event, kind)]

    def processes(self) -> list[int]:
        return strays.marked(MARK, self.mark)

    def written(self) -> dict[str, str]:
        files = [place for place in sorted(self.cwd.rglob("*")) if place.is_file() and ".git" not in place.parts]
        return {str(place.relative_to(self.cwd)): place.read_text() for place in files}


def in_prompt(spec: SessionSpec, behaviour: str) -> SessionSpec:
    """As the scripted agent is told. `auth` concerns the whole program."""
    if behaviour == "auth":
        return replace(spec, command=("--behaviour", "auth"))
    return replace(spec, prompt=f"scripted: {behaviour}\n{spec.prompt}")

"""What a scene gets, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from orchestration.models import Run
from zen_project.demo.services import Service
from zen_project.demo.stage import tried


class Server(Protocol):
    """The engine's server, where it has one that can be stopped."""

    def stop(self) -> None:
        """End it."""

    def start(self) -> None:
        """Start it anew, with what it had stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The services that runs call, the engine that performs them, and its server, if it has one."""

    services: dict[str, Service]
    engine: str
    server: Server | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a scene came to. `act`: what mended it; `result`: how it ended; `fine`: as it should."""

    said: str
    act: str
    result: str
    fine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """`fault`: what is broken. `engines`: where it can be. `workers`: whether some are alive when it begins."""

    number: int
    fault: str
    play: Callable[[World], Told]
    engines: tuple[str, ...] = ("celery", "temporal")
    workers: bool = True


def act_of(run: Run) -> str:
    """Who did what about it."""
    return ", ".join(f"{one.policy_id or one.actor}: {one.action} ({one.state})" for one in tried(run)) or "none"

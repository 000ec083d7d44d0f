"""A health window: real questions for as long as the database's clock says, every answer counted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue

from foundation.clock import now
from orchestration.actions.errors import Refused
from orchestration.core.deployment.config import DeploymentConfig
from orchestration.core.deployment.window import Answer, Window

Question = Callable[[], Answer]


@dataclass(frozen=True, slots=True)
class Users:
    """What users were answered meanwhile, as the switch counted: good ones, bad ones, and the last bad ones."""

    good: int = 0
    bad: int = 0
    failures: tuple[JsonValue, ...] = ()

    def is_healthy(self, share: float) -> bool:
        """Whether enough of their answers were good; no answer is no fault."""
        return self.good >= share * (self.good + self.bad) - 1e-9


def no_users() -> Users:
    """Nobody is counted."""
    return Users()


def judged(
    questions: Sequence[Question],
    config: DeploymentConfig,
    cancelled: threading.Event,
    *,
    seconds: float,
    users: Callable[[], Users] = no_users,
) -> dict[str, JsonValue]:
    """Ask for so many seconds, a window or a part of one; the evidence, when enough was good.

    An attempt that is performed again begins its window anew: the new release has to be well for all of it.

    Raises:
        Refused: with the evidence, when it was not good enough, as soon as that is sure; or when it was told to stop.
    """
    began = now()
    until = began + timedelta(seconds=seconds)
    expected = max(1, int(seconds / config.interval_seconds)) * len(questions)
    window = Window(share=config.healthy_share)
    lost = False
    while not lost:
        for question in questions:
            window = window.with_answer(question())
        lost = window.is_lost(expected) or not users().is_healthy(config.healthy_share)
        left = (until - now()).total_seconds()
        if left <= 0 or lost:
            break
        if cancelled.wait(min(left, config.interval_seconds)):
            raise Refused("stopped before the window was over", evidence=_evidence(window, users(), began))
    seen = users()
    evidence = _evidence(window, seen, began)
    if window.is_healthy() and seen.is_healthy(config.healthy_share):
        return evidence
    told = [] if window.is_healthy() else [window.in_words()]
    if not seen.is_healthy(config.healthy_share):
        first = f"; such as {seen.failures[0]}" if seen.failures else ""
        told.append(f"{seen.bad} of {seen.good + seen.bad} requests of users failed{first}")
    raise Refused(f"the new release is not healthy: {'; '.join(told)}", evidence=evidence)


def _evidence(window: Window, users: Users, began: datetime) -> dict[str, JsonValue]:
    found = window.evidence() | {"window_began": began.isoformat(), "window_ended": now().isoformat()}
    seen: dict[str, JsonValue] = {"good": users.good, "bad": users.bad, "failures": list(users.failures)}
    return found | {"users": seen}

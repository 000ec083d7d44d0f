"""What is asked in a health window, and what users were answered meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestration.core.deployment.window import Answer
from orchestration.projects.deployment.local import replicas, switch
from orchestration.projects.deployment.local.folder import Place, read
from orchestration.projects.deployment.probe import ask_port
from orchestration.projects.deployment.window import Question, Users
from orchestration.projects.deployment.work import Work


def own_questions(work: Work, numbers: list[int]) -> list[Question]:
    known = read(work.folder).releases[work.release].ports
    return [
        question_of(work, known[number], replicas.title(Place(release=work.release, replica=number)))
        for number in numbers
    ]


def question_of(work: Work, port: int, target: str) -> Question:
    path = work.config.health if isinstance(work.config.health, str) else "/"

    def ask() -> Answer:
        return ask_port(port, path, seconds=work.config.answer_seconds, target=target)

    return ask


def _counted(work: Work) -> dict[str, Any]:
    try:
        told = switch.ask(work.folder, "status")
    except switch.SwitchFault:
        return {}
    found: dict[str, Any] = told["releases"].get(work.release, {})
    return {**found, "since": told["since"]}


def users_of(work: Work) -> Callable[[], Users]:
    """What the switch counts from now on; a switch that was started again counts from 0."""
    first = _counted(work)

    def seen() -> Users:
        last = _counted(work)
        same = last.get("since") == first.get("since")
        good, bad = (int(last.get(key, 0)) - (int(first.get(key, 0)) if same else 0) for key in ("good", "bad"))
        failures = last.get("failures", [])[-min(bad, 5) :] if bad > 0 else []
        return Users(good=max(0, good), bad=max(0, bad), failures=tuple(failures))

    return seen

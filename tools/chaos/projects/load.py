"""The projects: started, and their questions answered, through the services, however often the database is away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from random import Random
from typing import Any

from django.db import connection

from approvals.models import Request
from foundation.errors import ZenError
from foundation.guarded import guarded
from orchestration.agents.endpoints.given import Given
from orchestration.agents.endpoints.services import add
from orchestration.core.enums import Verb
from orchestration.core.project.sagas.acceptance import answer_name
from orchestration.models import Run
from orchestration.projects.start import start_project
from orchestration.runs import act
from tests.system.contract.cast import account, says
from tests.system.contract.sagas import ADA
from tools.chaos.projects.shapes import SHAPES, spec_of

AGAIN_SECONDS = 0.3
ANSWER_SECONDS = 1.0
ENDPOINTS = 3
PLAIN_ANSWERS = {"agent-question": {"answer": "alpha"}}


class Load:
    """`started`: each acknowledged project → its engine and shape."""

    def __init__(self, seed: int, engines: tuple[str, ...], pause: float, most: int) -> None:
        self.random, self.engines, self.pause, self.most = Random(f"projects {seed}"), engines, pause, most
        self.started: dict[str, tuple[str, str]] = {}
        self.trouble: dict[str, int] = {}
        self._no_more, self._over = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._alone, args=(work,), daemon=True)
            for work in (self._start_all, self._answer_all, self._answer_all)  # two people, who may both answer
        ]

    def begin(self) -> None:
        account("bob")
        account("eve", "admin")
        for number in range(1, ENDPOINTS + 1):
            given = Given(
                name=f"one-{number}", agent_type="CLAUDE", driver="scripted", concurrency=2,
                env={"ZEN_SCRIPTED_SECONDS": "3"},
            )  # fmt: skip
            add(given, actor=ADA)
        for thread in self._threads:
            thread.start()

    def start_no_more(self) -> None:
        self._no_more.set()
        self._threads[0].join()

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _alone(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            connection.close()

    def _start_all(self) -> None:
        shapes: list[str] = []
        for number in range(self.most):
            shapes = shapes or self.random.sample(SHAPES, len(SHAPES))
            shape, engine = shapes.pop(), self.engines[number % len(self.engines)]
            name = f"p{number:03}-{shape}-{engine}"
            spec, config = spec_of(shape, name, self.random)
            while not self.tried(lambda: self._start(name, engine, shape, spec, config)):  # noqa: B023 - at once
                if self._no_more.wait(AGAIN_SECONDS):
                    return
            if self._no_more.wait(self.pause):
                return

    def _start(self, name: str, engine: str, shape: str, spec: dict[str, Any], config: dict[str, Any]) -> None:
        start_project(spec=spec, config=config, actor=ADA, workflow_id=name, engine=engine)
        self.started[name] = engine, shape

    def _answer_all(self) -> None:
        random = Random(threading.get_ident())
        while not self._over.wait(ANSWER_SECONDS):
            self.tried(lambda: self._answer(random))
            if not self._no_more.is_set() and random.random() < 0.01:
                self.tried(lambda: self._cancel(random))

    def _answer(self, random: Random) -> None:
        for request in Request.objects.filter(status="pending").order_by("id")[:50]:
            self.tried(lambda: says("bob", "approve", request, answers=self._answers(request, random)))  # noqa: B023

    def _answers(self, request: Request, random: Random) -> dict[str, Any]:
        about = request.content.get("context", {})
        if request.stage == "unproved-criteria":
            return {answer_name(one["id"]): "accepted" for one in about.get("criteria", ())}
        offered = (about.get("answers") or {}).get("answer")
        if not isinstance(offered, list):
            return {} if offered is None else {"answer": "alpha"}
        if request.stage == "over-budget":
            offered = [one for one in offered if one != "go on"] or offered
        return {"answer": random.choice(offered)}

    def _cancel(self, random: Random) -> None:
        going = list(Run.objects.filter(kind=Run.PROJECT, finished_at=None).values_list("workflow_id", flat=True))
        if going:
            act(workflow_id=random.choice(going), verb=Verb.ABORT, actor=ADA, note="chaos")

    def tried(self, do: Callable[[], object]) -> bool:
        """The servers are taken away from us, too: try again later."""

        def failed(error: Exception) -> bool:
            kind = type(error).__name__ if not isinstance(error, ZenError) else f"refused: {error}"[:80]
            self.trouble[kind] = self.trouble.get(kind, 0) + 1
            connection.close()
            return True

        return guarded(do, failed) is not True

    def unfinished(self) -> list[str]:
        """Those that have not ended."""
        rows = Run.objects.filter(workflow_id__in=list(self.started), finished_at=None)
        return sorted(rows.values_list("workflow_id", flat=True))

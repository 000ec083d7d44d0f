"""The sagas: started, and their questions answered, through the services, however often the database is away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from random import Random

from django.db import connection

from approvals.models import Request
from foundation.errors import ZenError
from foundation.guarded import guarded
from orchestration.models import Event, Run
from orchestration.runs import start_run
from tests.system.contract.cast import account, says
from tests.system.contract.sagas import ADA
from tools.chaos.judge import STEPS
from tools.chaos.peer import Peer
from tools.chaos.plan import ENGINES
from tools.chaos.records import Saga
from tools.chaos.sagas import definition

log = logging.getLogger(__name__)
ANSWER_SECONDS = 0.5
AGAIN_SECONDS = 0.3


class Load:
    """`started`: the name of each acknowledged saga → its engine and shape."""

    def __init__(self, seed: int, peer: Peer, pause: float) -> None:
        self.random, self.peer, self.pause = Random(f"sagas {seed}"), peer, pause
        self.started: dict[str, tuple[str, str]] = {}
        self.trouble: dict[str, int] = {}
        self._no_more, self._over = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._alone, args=(work,), daemon=True)
            for work in (self._start_all, self._answer_all)
        ]

    def begin(self) -> None:
        account("bob")
        for thread in self._threads:
            thread.start()

    def start_no_more(self) -> None:
        self._no_more.set()
        self._threads[0].join()

    def end(self) -> None:
        self._over.set()
        self._threads[1].join()

    def _alone(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            connection.close()

    def _start_all(self) -> None:
        number = 0
        while not self._no_more.wait(self.pause):
            shape, engine = self.random.choice(tuple(STEPS)), ENGINES[number % len(ENGINES)]
            name = f"s{number:04}-{engine}"
            number += 1
            while not self._tried(lambda: self._start(name, engine, shape)):  # noqa: B023 - called at once
                if self._no_more.wait(AGAIN_SECONDS):
                    return

    def _start(self, name: str, engine: str, shape: str) -> None:
        """The same name again is the same run, if the acknowledgement was lost."""
        start_run(definition=definition(shape, name, self.peer.address), actor=ADA, engine=engine, workflow_id=name)
        self.started[name] = engine, shape

    def _answer_all(self) -> None:
        while not self._over.wait(ANSWER_SECONDS):
            self._tried(self._answer)

    def _answer(self) -> None:
        for request in Request.objects.filter(status="pending")[:50]:
            self._tried(lambda: says("bob", "approve", request))  # noqa: B023 - called at once

    def _tried(self, act: Callable[[], object]) -> bool:
        def failed(error: Exception) -> bool:
            """The servers are taken away from us, too: try again later."""
            kind = type(error).__name__ if not isinstance(error, ZenError) else f"refused: {error}"[:80]
            self.trouble[kind] = self.trouble.get(kind, 0) + 1
            connection.close()
            return True

        return guarded(act, failed) is not True

    # --- what became of them ------------------------------------------------------------------------------------------

    def seen(self) -> list[Saga]:
        rows = {run.workflow_id: run for run in Run.objects.filter(workflow_id__in=list(self.started))}
        moments: dict[str, list[float]] = {}
        parents = dict(Run.objects.exclude(parent=None).values_list("pk", "parent__workflow_id"))
        for run_pk, workflow_id, at in Event.objects.values_list("run_id", "run__workflow_id", "at"):
            moments.setdefault(parents.get(run_pk, workflow_id), []).append(at.timestamp())
        return [
            Saga(
                name=name,
                engine=engine,
                shape=shape,
                wanted="rolled_back" if "undo" in shape else "completed",
                status=rows[name].status if name in rows else "",
                found=name in rows,
                ended=name in rows and rows[name].finished_at is not None,
                progress=tuple(moments.get(name, ())),
            )
            for name, (engine, shape) in self.started.items()
        ]

    def unfinished(self) -> int:
        return Run.objects.filter(workflow_id__in=list(self.started), finished_at=None).count()

    def wait(self, seconds: float) -> None:
        """For the end of all that were started."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            left: list[int] = []
            if self._tried(lambda: left.append(self.unfinished())) and not left[0]:  # noqa: B023 - called at once
                return
            time.sleep(AGAIN_SECONDS)

"""One query for all who follow a run: a task of this process reads, and no follower holds a thread or a connection.

What it finds is passed on only to followers who may still see it: they are judged anew each time, and each 10 s.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import connection

from orchestration.api.viewers import Viewer, not_allowed
from orchestration.core.enums import RunStatus
from orchestration.models import Run
from orchestration.runs import queries, run_log

LOOK_SECONDS, JUDGE_SECONDS = 0.5, 10.0
AT_ONCE, KEPT = 200, 1000
"""Entries that one look takes, and that a feed keeps for those who are behind."""
NEEDED = ("id", "workflow_id", "status", "finished_at")
_pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="zen-streams")
T = TypeVar("T")


Place = int | str
"""Behind an entry: its `seq`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What can be followed of a run. `page`: at most AT_ONCE entries behind a place, each with its `seq`.

    `stands`: the place behind all that there is. `ended`: whether nothing more will
    come of this run.
    """

    name: str
    page: Callable[[Run, Any], list[dict[str, Any]]]
    stands: Callable[[Run], Place]
    ended: Callable[[Run], bool]


class Feed:
    """A topic of one run, read once for all who follow it, from the first follower to the last.

    `begin`: the place before the entries that are kept; None until it is known.
    """

    def __init__(self, topic: Topic, workflow_id: str) -> None:
        self.topic, self.workflow_id, self.ended = topic, workflow_id, False
        self.begin: Place | None = None
        self.last: Place | None = None
        self.entries: deque[dict[str, Any]] = deque()
        self.viewers: Counter[Viewer] = Counter()
        self.refused: frozenset[Viewer] = frozenset()
        self.changed, self.loop = asyncio.Event(), asyncio.get_running_loop()
        self.task: asyncio.Task[None] | None = None
        self.failure: BaseException | None = None

    async def poll(self) -> None:
        judged = 0.0
        while not self.ended:
            found, last, ended = await in_pool(_look, self.topic, self.workflow_id, self.last)
            judged = 0.0 if found else judged + LOOK_SECONDS
            if found or judged >= JUDGE_SECONDS:
                judged = 0.0
                await self._judge()
            news = bool(found) or self.last is None
            self._keep(found)
            self.begin = last if self.begin is None else self.begin
            self.last = last
            self.ended = ended and not found
            if news or self.ended:
                self._tell()
            if not found and not self.ended:
                await asyncio.sleep(LOOK_SECONDS)

    def _keep(self, found: list[dict[str, Any]]) -> None:
        for entry in found:
            if len(self.entries) == KEPT:
                self.begin = self.entries.popleft()["seq"]
            self.entries.append(entry)

    def note_failure(self, task: asyncio.Task[None]) -> None:
        """`poll` broke, since the database did: each of the streams ends with its error."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failure = error
            self._tell()

    async def _judge(self) -> None:
        refused = await in_pool(not_allowed, tuple(self.viewers))
        if refused - self.refused:
            self.refused |= refused
            self._tell()

    def _tell(self) -> None:
        before, self.changed = self.changed, asyncio.Event()
        before.set()

    async def after(self, place: Place, viewer: Viewer) -> list[dict[str, Any]]:
        """What there is behind this place, from memory where it reaches back so far."""
        if place == self.begin:
            return list(self.entries)
        for number, entry in enumerate(self.entries, 1):
            if entry["seq"] == place:
                return list(itertools.islice(self.entries, number, None))
        found, refused = await in_pool(_page, self.topic, self.workflow_id, place, viewer)
        if refused:
            self.refused |= {viewer}
        return [] if refused else found


async def in_pool(work: Callable[..., T], *given: Any) -> T:
    """In one of few threads that all streams share; the connection is given back at once."""

    def alone() -> T:
        try:
            return work(*given)
        finally:
            if not connection.in_atomic_block:
                connection.close()

    return await sync_to_async(alone, thread_sensitive=False, executor=_pool)()


def _look(topic: Topic, workflow_id: str, after: Place | None) -> tuple[list[dict[str, Any]], Place, bool]:
    """The entries behind this place, the place behind the last, and whether nothing more will come.

    None: only where it stands.
    """
    run = Run.objects.only(*NEEDED).get(workflow_id=workflow_id)  # first: an entry of the end is never missed
    ended = topic.ended(run)
    if after is None:
        return [], topic.stands(run), False
    found = topic.page(run, after)
    return found, found[-1]["seq"] if found else after, ended


def _page(topic: Topic, workflow_id: str, after: Place, viewer: Viewer) -> tuple[list[dict[str, Any]], bool]:
    run = Run.objects.only(*NEEDED).get(workflow_id=workflow_id)
    return topic.page(run, after), bool(not_allowed((viewer,)))


def _events(run: Run, after: int) -> list[dict[str, Any]]:
    return [queries.event_view(event) for event in queries.run_events(run, after=after)[:AT_ONCE]]


def _last_event(run: Run) -> int:
    return run.events.order_by("-seq").values_list("seq", flat=True).first() or 0


def _is_over(run: Run) -> bool:
    return RunStatus(run.status).is_end


def _log(run: Run, after: str) -> list[dict[str, Any]]:
    return run_log.log_entries(run, after=after, limit=AT_ONCE)


EVENTS = Topic(name="events", page=_events, stands=_last_event, ended=_is_over)
LOG = Topic(name="log", page=_log, stands=run_log.log_position, ended=run_log.is_complete)

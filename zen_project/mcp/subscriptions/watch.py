"""One look a second for all who follow something in this process, and none while nobody does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from weakref import WeakKeyDictionary

from django.db import Error as DatabaseError

from orchestration.api.hub import hub
from zen_project.mcp.identity import Caller, may_look
from zen_project.mcp.subscriptions.marks import Mark, Subject, marks_of
from zen_project.mcp.threads import in_thread

log = logging.getLogger(__name__)

LOOK_SECONDS, JUDGE_SECONDS = 1.0, 10.0


@dataclass(eq=False, kw_only=True)
class Follower:
    """Who follows what. `tell`: of a subject that has changed; `end`: that nothing more will be told."""

    caller: Caller
    tell: Callable[[Subject], Awaitable[None]]
    end: Callable[[], None]
    seen: dict[Subject, Mark | None] = field(default_factory=dict)
    judged: float = 0.0

    def news(self, looked_at: Collection[Subject], marks: Mapping[Subject, Mark]) -> list[Subject]:
        """What has another mark than when it was seen last; it has been seen then."""
        changed = [one for one, mark in self.seen.items() if one in looked_at and marks.get(one) != mark]
        self.seen |= {one: marks.get(one) for one in changed}
        return changed

    @property
    def account(self) -> int:
        """Whose stream it is; 0 for a console."""
        return self.caller.token.user_id if self.caller.token is not None else 0


class Watch:
    """The followers of one event loop."""

    def __init__(self) -> None:
        self.followers: set[Follower] = set()
        self.task: asyncio.Task[None] | None = None

    async def follow(self, follower: Follower, subjects: list[Subject]) -> None:
        """Tell it of changes from now on.

        Raises:
            TooSoon: its account, or this process, has too many streams.
        """
        await self.add(follower, subjects)
        hub().take_place(follower.account)
        self.followers.add(follower)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._look_again_and_again())
            self.task.add_done_callback(self._stopped)

    async def add(self, follower: Follower, subjects: list[Subject]) -> None:
        """Let a follower follow these, too."""
        marks = await in_thread(partial(marks_of, subjects))
        follower.seen |= {one: marks.get(one) for one in subjects}

    def leave(self, follower: Follower) -> None:
        """Tell it nothing more; nothing, if it has left."""
        if follower in self.followers:
            self.followers.discard(follower)
            hub().give_place_back(follower.account)

    async def _look_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not self.followers:
                return
            try:
                await self._look()
            except DatabaseError as error:
                log.warning("changes of resources are not seen: %s", error)

    async def _look(self) -> None:
        subjects = {one for follower in self.followers for one in follower.seen}
        marks = await in_thread(partial(marks_of, subjects))
        for follower in list(self.followers):
            changed = follower.news(subjects, marks)
            follower.judged += LOOK_SECONDS
            if not changed and follower.judged < JUDGE_SECONDS:
                continue
            follower.judged = 0.0
            if not await in_thread(partial(may_look, follower.caller)):
                self.leave(follower)
                follower.end()
                continue
            for one in changed:
                await follower.tell(one)

    def _stopped(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the watch for changes of resources broke", exc_info=error)
            for follower in list(self.followers):
                self.leave(follower)
                follower.end()


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


def watch() -> Watch:
    """Of the running loop."""
    return _watches.setdefault(asyncio.get_running_loop(), Watch())

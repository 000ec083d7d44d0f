"""One look at a run for all who follow it: a task of this process, no thread and no connection for one who waits.

What comes is passed on only to those who may still see it: they are judged anew with every event, and each 10 s.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.utils.crypto import constant_time_compare

from orchestration import roles, selectors
from orchestration.api.auth import actor_of
from orchestration.clock import now
from orchestration.core.words import RunStatus
from orchestration.errors import NotAllowed, TooSoon
from orchestration.models import ApiToken, Run

LOOK_SECONDS, HEARTBEAT_SECONDS, JUDGE_SECONDS = 0.5, 15.0, 10.0
AT_ONCE, KEPT = 200, 1000
"""Events that one look takes, and that a feed keeps for those who are behind."""
RETRY_SECONDS = 30
_pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="zen-streams")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who follows, and by what: `token` is an id, `session` a key; one of them is set."""

    user: int
    token: int | None = None
    session: str = ""


class Feed:
    """The events of one run from when the first came to follow it, for as long as somebody does."""

    def __init__(self, workflow_id: str) -> None:
        self.workflow_id, self.last, self.ended = workflow_id, -1, False
        self.events: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.viewers: Counter[Viewer] = Counter()
        self.refused: frozenset[Viewer] = frozenset()
        self.changed, self.loop = asyncio.Event(), asyncio.get_running_loop()
        self.task: asyncio.Task[None] | None = None
        self.failure: BaseException | None = None

    async def poll(self) -> None:
        judged = 0.0
        try:
            while not self.ended:
                found, last, ended = await in_pool(_look, self.workflow_id, self.last)
                judged = 0.0 if found else judged + LOOK_SECONDS
                if found or judged >= JUDGE_SECONDS:
                    judged = 0.0
                    await self._judge()
                news = bool(found) or self.last < 0
                self.events.extend(found)
                self.last = last
                self.ended = ended and not found
                if news or self.ended:
                    self._tell()
                if not found and not self.ended:
                    await asyncio.sleep(LOOK_SECONDS)
        except Exception as error:  # noqa: BLE001 - of the database: each of the streams ends with it
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

    async def after(self, seq: int, viewer: Viewer) -> list[dict[str, Any]]:
        """What there is after this number, from memory where it reaches back so far."""
        first = self.events[0]["seq"] if self.events else self.last + 1
        if seq >= first - 1:
            return [event for event in self.events if event["seq"] > seq]
        found, refused = await in_pool(_page, self.workflow_id, seq, viewer)
        if refused:
            self.refused |= {viewer}
        return [] if refused else found


class Hub:
    """The feeds of one event loop, and how many follow them."""

    def __init__(self) -> None:
        self.feeds: dict[str, Feed] = {}
        self.by_user: Counter[int] = Counter()

    def enter(self, workflow_id: str, viewer: Viewer) -> Feed:
        """Raises TooSoon when the user, or this process, has too many streams."""
        if self.by_user[viewer.user] >= settings.ZEN_STREAMS_PER_USER:
            most = f"{settings.ZEN_STREAMS_PER_USER} streams of one user (ZEN_STREAMS_PER_USER)"
            raise TooSoon(f"you follow {most} already", remedy="close one of them", retry_after=RETRY_SECONDS)
        if self.by_user.total() >= settings.ZEN_STREAMS:
            most = f"{settings.ZEN_STREAMS} streams (ZEN_STREAMS)"
            raise TooSoon(f"the site holds {most} already", remedy="come back later", retry_after=RETRY_SECONDS)
        feed = self.feeds.get(workflow_id)
        if feed is None:
            feed = self.feeds[workflow_id] = Feed(workflow_id)
        self.by_user[viewer.user] += 1
        feed.viewers[viewer] += 1
        return feed

    def leave(self, feed: Feed, viewer: Viewer) -> None:
        self.by_user = +(self.by_user - Counter([viewer.user]))
        feed.viewers = +(feed.viewers - Counter([viewer]))
        if not feed.viewers:
            if self.feeds.get(feed.workflow_id) is feed:
                del self.feeds[feed.workflow_id]
            if feed.task is not None:
                feed.task.cancel()

    async def follow(self, feed: Feed, viewer: Viewer, after: int) -> AsyncIterator[dict[str, Any] | str]:
        """Events, 'quiet' after a while without any, and at last 'end' or 'refused'. The place was taken by `enter`."""
        if feed.task is None:
            feed.task = asyncio.create_task(feed.poll())
        while True:
            changed = feed.changed
            if feed.failure is not None:
                raise feed.failure
            found = await feed.after(after, viewer) if feed.last >= 0 else []
            if viewer in feed.refused:
                yield "refused"
                return
            for event in found:
                after = event["seq"]
                yield event
            if found:
                continue
            if feed.ended:
                yield "end"
                return
            try:
                await asyncio.wait_for(changed.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield "quiet"


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())


async def in_pool(work: Callable[..., T], *given: Any) -> T:
    """In one of few threads that all streams share; the connection is given back at once."""

    def alone() -> T:
        try:
            return work(*given)
        finally:
            if not connection.in_atomic_block:
                connection.close()

    return await sync_to_async(alone, thread_sensitive=False, executor=_pool)()


def _look(workflow_id: str, after: int) -> tuple[list[dict[str, Any]], int, bool]:
    """The events after this number, the number of the last, and whether the run has ended. -1: only where it stands."""
    run = Run.objects.only("status").get(workflow_id=workflow_id)  # first: an event of the end is never missed
    ended = RunStatus(run.status).is_end
    if after < 0:
        last = run.events.order_by("-seq").values_list("seq", flat=True).first() or 0
        return [], last, False
    found = [selectors.event_view(event) for event in selectors.run_events(run, after=after)[:AT_ONCE]]
    return found, found[-1]["seq"] if found else after, ended


def _page(workflow_id: str, after: int, viewer: Viewer) -> tuple[list[dict[str, Any]], bool]:
    run = Run.objects.only("id").get(workflow_id=workflow_id)
    found = [selectors.event_view(event) for event in selectors.run_events(run, after=after)[:AT_ONCE]]
    return found, bool(not_allowed((viewer,)))


def not_allowed(viewers: Iterable[Viewer]) -> frozenset[Viewer]:
    """Those whose token or session is over, or whose account may not look any more."""
    return frozenset(viewer for viewer in viewers if not _may(viewer))


def _may(viewer: Viewer) -> bool:
    if viewer.token is not None:
        token = ApiToken.objects.select_related("user", "owner").filter(pk=viewer.token).first()
        if token is None or (token.expires_at and token.expires_at <= now()):
            return False
        user: Any = token.user
        user.api_token = token
    else:
        user = get_user_model().objects.filter(pk=viewer.user).first()
        if user is None or not _is_signed_in(user, viewer.session):
            return False
    try:
        roles.require(actor_of(user), "view")
    except NotAllowed:
        return False
    return bool(user.is_active)


def _is_signed_in(user: Any, key: str) -> bool:
    kept = SessionStore(key).load()
    same = str(kept.get(SESSION_KEY, "")) == str(user.pk)
    return same and constant_time_compare(str(kept.get(HASH_SESSION_KEY, "")), user.get_session_auth_hash())

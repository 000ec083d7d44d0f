"""Who follows which run in this process: a stream takes a place here, within the limits, and reads its run's feed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings

from foundation.errors import TooSoon
from orchestration.api.feed import Feed, Place, Topic
from orchestration.api.viewers import Viewer

HEARTBEAT_SECONDS, RETRY_SECONDS = 15.0, 30


class Hub:
    """The feeds of one event loop, and how many follow them."""

    def __init__(self) -> None:
        self.feeds: dict[tuple[str, str], Feed] = {}
        self.by_user: Counter[int] = Counter()

    def enter(self, topic: Topic, workflow_id: str, viewer: Viewer) -> Feed:
        """Raises TooSoon when the user, or this process, has too many streams."""
        self.take_place(viewer.user)
        feed = self.feeds.get((topic.name, workflow_id))
        if feed is None:
            feed = self.feeds[topic.name, workflow_id] = Feed(topic, workflow_id)
        feed.viewers[viewer] += 1
        return feed

    def leave(self, feed: Feed, viewer: Viewer) -> None:
        self.give_place_back(viewer.user)
        feed.viewers = +(feed.viewers - Counter([viewer]))
        if not feed.viewers:
            name = (feed.topic.name, feed.workflow_id)
            if self.feeds.get(name) is feed:
                del self.feeds[name]
            if feed.task is not None:
                feed.task.cancel()

    def take_place(self, user: int) -> None:
        """Count one more stream of this account. Raises TooSoon, as `enter` does."""
        if self.by_user[user] >= settings.ZEN_STREAMS_PER_USER:
            most = f"{settings.ZEN_STREAMS_PER_USER} streams of one user (ZEN_STREAMS_PER_USER)"
            raise TooSoon(f"you follow {most} already", remedy="close one of them", retry_after=RETRY_SECONDS)
        if self.by_user.total() >= settings.ZEN_STREAMS:
            most = f"{settings.ZEN_STREAMS} streams (ZEN_STREAMS)"
            raise TooSoon(f"the site holds {most} already", remedy="come back later", retry_after=RETRY_SECONDS)
        self.by_user[user] += 1

    def give_place_back(self, user: int) -> None:
        self.by_user = +(self.by_user - Counter([user]))

    async def follow(self, feed: Feed, viewer: Viewer, after: Place) -> AsyncIterator[dict[str, Any] | str]:
        """Entries, 'quiet' after a while without any, at last 'end' or 'refused'. The place was taken by `enter`."""
        if feed.task is None:
            feed.task = asyncio.create_task(feed.poll())
            feed.task.add_done_callback(feed.note_failure)
        while True:
            changed = feed.changed
            if feed.failure is not None:
                raise feed.failure
            found = await feed.after(after, viewer) if feed.last is not None else []
            if viewer in feed.refused:
                yield "refused"
                return
            for entry in found:
                after = entry["seq"]
                yield entry
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

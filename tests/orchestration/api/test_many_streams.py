"""Many streams cost no thread each, have bounds, and end for those who may not look any more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.asgi import get_asgi_application
from django.test import AsyncClient, Client
from pytest_django import Settings

from foundation.clock import now
from foundation.models import ApiToken
from orchestration.api import feed
from orchestration.api.hub import hub
from tests.orchestration.api.test_runs import SAGA, client_of, post
from tests.orchestration.api.test_stream import STREAM, _parts, first, headers_of
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def run() -> Client:
    operator = client_of("operator")
    post(operator, "runs/", {"definition": SAGA, "workflow_id": "s-1", "engine": "celery"})
    return operator


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judged with nearly every look, so that no test waits for the ten seconds."""
    monkeypatch.setattr(feed, "JUDGE_SECONDS", 0.5)


def test_everybody_is_judged_at_least_each_fifteen_seconds() -> None:
    assert feed.JUDGE_SECONDS + 2 * feed.LOOK_SECONDS <= 15


async def opened(headers: dict[str, str]) -> Any:
    """Through Django's own handler, as a server calls it, up to the first events."""
    sent = {**headers, "host": "localhost"}
    scope = {
        "type": "http", "method": "GET", "path": STREAM, "query_string": b"", "http_version": "1.1",
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
    }  # fmt: skip
    line: Any = ApplicationCommunicator(get_asgi_application(), scope)  # type: ignore[no-untyped-call]
    await line.send_input({"type": "http.request", "body": b"", "more_body": False})
    return line


async def until(line: Any, word: bytes) -> int:
    """Reads up to what holds the word; the status."""
    start = await line.receive_output(60)
    if start["status"] == 200:
        while word not in (await line.receive_output(60)).get("body", b""):
            pass
    return int(start["status"])


def test_a_hundred_streams_wait_with_one_look_and_no_thread_each(settings: Settings) -> None:
    settings.ZEN_STREAMS_PER_USER = 100
    headers = headers_of(client_of("viewer"))

    @async_to_sync
    async def many() -> None:
        lines = [await opened(headers) for _ in range(100)]
        assert set(await asyncio.gather(*(until(line, b"run.") for line in lines))) == {200}
        names = [thread.name for thread in threading.enumerate()]
        assert len(names) < 40, names
        assert len([name for name in names if name.startswith("zen-streams")]) <= 4
        (only,) = hub().feeds.values()
        assert only.viewers.total() == 100 and len(only.viewers) == 1
        more = await opened(headers)
        answer = await more.receive_output(60)
        sent = {name.decode().lower(): value.decode() for name, value in answer["headers"]}
        assert answer["status"] == 429 and sent["retry-after"] == "30"
        assert sent["content-type"] == "application/problem+json"
        await more.wait(PATIENCE_SECONDS)
        assert (await AsyncClient().get("/livez")).status_code == 200
        await left(*lines)
        await eventually(lambda: not hub().feeds and not hub().by_user)
        again = await opened(headers)
        assert await until(again, b"run.") == 200
        await left(again)

    many()


async def left(*lines: Any) -> None:
    for line in lines:
        await line.send_input({"type": "http.disconnect"})
    for line in lines:
        await line.wait(PATIENCE_SECONDS)


async def eventually(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.02)


def test_a_site_has_a_bound_for_all_of_its_users(settings: Settings) -> None:
    settings.ZEN_STREAMS = 2
    people = [headers_of(client_of(role)) for role in ("viewer", "approver", "administrator")]

    @async_to_sync
    async def three() -> list[int]:
        return [(await AsyncClient().get(STREAM, headers=headers)).status_code for headers in people]

    assert three() == [200, 200, 429]


def test_a_stream_that_is_never_read_gives_its_place_back(settings: Settings) -> None:
    settings.ZEN_STREAMS_PER_USER = 1
    headers = headers_of(client_of("viewer"))

    @async_to_sync
    async def twice() -> None:
        for _ in range(3):
            answer: Any = await AsyncClient().get(STREAM, headers=headers)
            assert answer.status_code == 200
            answer.close()
            await eventually(lambda: not hub().by_user)

    twice()


# --- who may not look any more ----------------------------------------------------------------------------------------


def revoke(user: User) -> None:
    ApiToken.objects.filter(user=user).delete()


def expire(user: User) -> None:
    ApiToken.objects.filter(user=user).update(expires_at=now() - timedelta(seconds=1))


def close(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def take_role(user: User) -> None:
    user.groups.clear()


def take_scope(user: User) -> None:
    ApiToken.objects.filter(user=user).update(scopes=["run.start"])


ENDS = [revoke, expire, close, take_role, take_scope]


def followed(
    headers: dict[str, str], act: Callable[[], Awaitable[None]], cookies: dict[str, str] | None = None
) -> list[dict[str, str]]:
    """What the stream said once it stood at the present, and somebody acted."""

    @async_to_sync
    async def follow() -> list[dict[str, str]]:
        client = AsyncClient()
        client.cookies.load(cookies or {})
        answer: Any = await client.get(STREAM, headers=headers)
        parts = _parts(answer.streaming_content)
        await first(parts, "run.waiting")
        await act()
        async with asyncio.timeout(120):
            said = [part async for part in parts]
        assert said[-1]["event"] == "refused"
        return said

    return follow()


@pytest.mark.parametrize("end", ENDS)
def test_a_stream_ends_soon_after_its_token_does(often: None, end: Callable[[User], None]) -> None:
    headers = headers_of(client_of("viewer"))

    async def act() -> None:
        await sync_to_async(end)(await viewer())

    assert [part["event"] for part in followed(headers, act)] == ["refused"]


async def viewer() -> User:
    return await User.objects.aget(username="viewer1")


@pytest.mark.parametrize("end", ENDS)
def test_no_event_reaches_who_may_not_look_any_more(run: Client, end: Callable[[User], None]) -> None:
    """At once, with the event itself: the ten seconds have not passed."""
    headers = headers_of(client_of("viewer"))

    async def act() -> None:
        await sync_to_async(end)(await viewer())
        assert (await sync_to_async(post)(run, "runs/s-1/hold/", {"note": "a secret"})).status_code == 200

    assert [part["event"] for part in followed(headers, act)] == ["refused"]


@pytest.mark.parametrize("end", ["log out", "new password", "closed"])
def test_a_stream_of_a_session_ends_with_the_session(often: None, end: str) -> None:
    client_of("viewer")
    browser = Client()
    browser.force_login(User.objects.get(username="viewer1"))
    cookies = {"sessionid": browser.cookies["sessionid"].value}

    def change() -> None:
        user = User.objects.get(username="viewer1")
        if end == "log out":
            Session.objects.all().delete()
        elif end == "closed":
            close(user)
        else:
            user.set_password("another")
            user.save()

    async def act() -> None:
        await sync_to_async(change)()

    assert [part["event"] for part in followed({}, act, cookies)] == ["refused"]


def test_the_others_go_on(often: None, run: Client) -> None:
    gone, stays = headers_of(client_of("viewer")), headers_of(client_of("approver"))

    @async_to_sync
    async def both() -> None:
        answers: list[Any] = [await AsyncClient().get(STREAM, headers=headers) for headers in (gone, stays)]
        ends, goes_on = (_parts(answer.streaming_content) for answer in answers)
        await first(ends, "run.waiting")
        await first(goes_on, "run.waiting")
        await sync_to_async(revoke)(await viewer())
        await first(ends, "refused")
        await sync_to_async(post)(run, "runs/s-1/hold/", {"note": "x"})
        await first(goes_on, "run.held")

    both()

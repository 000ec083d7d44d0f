"""Who follows a resource is told when it changes, whichever process changed it, as long as they may look."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import anyio
import httpx2
import pytest
from django.db import connections
from mcp import Client
from mcp.client.subscriptions import ResourcesListChanged, ResourceUpdated
from mcp.shared.exceptions import MCPError
from pytest_django import Settings

from foundation.models import ApiToken
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act
from tests.support.mcp_clients import answer, in_process, over_http, over_stdio, site, talk
from tests.support.waiting import PATIENCE_SECONDS
from tests.system.contract.cast import account, actor, says
from tests.zen_project.mcp.conftest import Person
from zen_project.mcp.subscriptions import watch as watching

pytestmark = pytest.mark.django_db(transaction=True)
SAGA: dict[str, Any] = {
    "saga_id": "order",
    "steps": [{"step_id": "first", "forward_action": {"type": "wait", "seconds": 600}}],
}


@pytest.fixture
def ada(person: Callable[..., Person]) -> Person:
    """An operator with a run that stands still, and a request."""
    account("dora")
    ada = person("operator", "ada")
    answer(ada.tools, "start_saga", definition=SAGA, workflow_id="o-1", engine="celery")
    asked = {"stage": "deployment", "description": "Ready?", "approvers": ["dora"], "request_id": "a-1"}
    answer(ada.tools, "request_approval", engine="celery", **asked)
    return ada


def elsewhere(do: Callable[[], object]) -> Callable[[], None]:
    """Done in a thread, with its own connection: for the database another process could as well have done it."""

    def alone() -> None:
        try:
            do()
        finally:
            connections.close_all()

    return alone


def hold(ada: Person) -> None:
    act(workflow_id="o-1", verb=Verb.HOLD, actor=actor(ada.user))


def test_a_change_of_a_run_and_of_a_request_is_told_once_each(ada: Person) -> None:
    uris = ["run://o-1", "run://o%2D1/events", "approval://a-1", "nothing://x"]

    async def follow(client: Client) -> None:
        async with client.listen(resource_subscriptions=uris, resources_list_changed=True) as changes:
            assert changes.honored.resource_subscriptions == uris[:3]
            told = aiter(changes)
            await anyio.to_thread.run_sync(elsewhere(lambda: hold(ada)))
            with anyio.fail_after(PATIENCE_SECONDS):
                assert {await anext(told), await anext(told)} == {ResourceUpdated(uri) for uri in uris[:2]}
                await anyio.to_thread.run_sync(elsewhere(lambda: says("dora", "approve", "a-1")))
                assert await anext(told) == ResourceUpdated("approval://a-1")
                another = {"definition": SAGA, "workflow_id": "o-2", "engine": "celery"}
                await client.call_tool("start_saga", another)
                assert await anext(told) == ResourcesListChanged()

    talk(ada.tools, follow)


def test_two_processes_of_the_site_tell_each_others_changes(ada: Person, process_env: dict[str, str]) -> None:
    async def follow(client: Client) -> None:
        async with client.listen(resource_subscriptions=["run://o-1"]) as changes:
            headers = {"Authorization": f"Bearer {ada.token}"}
            async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE_SECONDS) as rest:
                held = await rest.post(f"{second.url}/api/v1/runs/o-1/hold/", json={})
                assert held.status_code == 200, held.text
            with anyio.fail_after(PATIENCE_SECONDS):
                assert await anext(aiter(changes)) == ResourceUpdated("run://o-1")

    with site(process_env) as first, site(process_env) as second:
        talk(over_http(first.url, ada.token), follow)


def test_who_may_not_look_any_more_is_told_nothing_and_the_stream_ends(ada: Person) -> None:
    async def follow(client: Client) -> list[Any]:
        async with client.listen(resource_subscriptions=["run://o-1"]) as changes:

            def close() -> None:
                ApiToken.objects.update(user=account("nobody", "viewer"))
                account("nobody").groups.clear()
                hold(ada)

            await anyio.to_thread.run_sync(elsewhere(close))
            with anyio.fail_after(PATIENCE_SECONDS):
                return [change async for change in changes]

    assert talk(ada.tools, follow) == [] and Run.objects.get(workflow_id="o-1").status == "held"


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
@pytest.mark.parametrize("transport", ["memory", "stdio"])
def test_older_clients_follow_over_a_connection_that_lasts(
    ada: Person, process_env: dict[str, str], transport: str
) -> None:
    told: list[str] = []
    heard = anyio.Event()

    async def hear(message: Any) -> None:
        if getattr(message, "method", "") == "notifications/resources/updated":
            told.append(message.params.uri)
            heard.set()

    async def follow(client: Client) -> None:
        await client.subscribe_resource("run://o-1")
        await client.subscribe_resource("approval://a-1")
        await client.unsubscribe_resource("approval://a-1")
        with pytest.raises(MCPError, match="there is no resource"):
            await client.subscribe_resource("nothing://x")
        await anyio.to_thread.run_sync(elsewhere(lambda: says("dora", "approve", "a-1")))
        await anyio.to_thread.run_sync(elsewhere(lambda: hold(ada)))
        with anyio.fail_after(PATIENCE_SECONDS):
            await heard.wait()

    options: dict[str, Any] = {"mode": "legacy", "message_handler": hear}
    over = {"memory": in_process(**options), "stdio": over_stdio(process_env, ada.token, **options)}
    talk(over[transport], follow)
    assert told == ["run://o-1"]


def test_a_stream_has_bounds(ada: Person, settings: Settings) -> None:
    settings.ZEN_STREAMS_PER_USER = 1

    async def follow(client: Client) -> None:
        with pytest.raises(MCPError, match="more than 100 addresses"):
            async with client.listen(resource_subscriptions=[f"run://{n}" for n in range(101)]):
                pass
        async with client.listen(resource_subscriptions=["run://o-1"]):
            with pytest.raises(MCPError, match="you follow 1 streams of one user"):
                async with client.listen(resource_subscriptions=["run://o-1"]):
                    pass
        with anyio.fail_after(PATIENCE_SECONDS):
            while watching.watch().followers:  # the server hears of the end a moment later
                await anyio.sleep(0.01)
        async with client.listen(resource_subscriptions=["run://o-1"]):
            pass

    talk(ada.tools, follow)


def test_nobody_asks_the_database_while_nobody_follows(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.01)

    def look(subjects: Collection[Any]) -> dict[Any, Any]:
        looks.append(len(subjects))
        return {}

    monkeypatch.setattr(watching, "marks_of", look)

    async def follow(client: Client) -> None:
        async with client.listen(resource_subscriptions=["run://o-1"]):
            with anyio.fail_after(PATIENCE_SECONDS):
                while len(looks) < 3:
                    await anyio.sleep(0.01)
        task = watching.watch().task
        with anyio.fail_after(PATIENCE_SECONDS):
            while task is None or not task.done():
                await anyio.sleep(0.01)

    talk(ada.tools, follow)

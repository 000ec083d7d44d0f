"""The protocol's methods by which a client follows resources."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver.server import require_client_extension
from mcp.server.subscriptions import ListenHandler
from mcp.shared.subscriptions import ResourcesListChanged, ResourceUpdated, ServerEvent
from mcp_types import (
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionFilter,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)

from foundation.errors import BadInput, NotFound, TooSoon
from zen_project.mcp.identity import Caller
from zen_project.mcp.protocol import asked, refusal
from zen_project.mcp.resources.uris import Place, place_at
from zen_project.mcp.sdk import Handler
from zen_project.mcp.subscriptions.marks import LIST, Subject
from zen_project.mcp.subscriptions.watch import Follower, watch
from zen_project.mcp.tasks.extension import TASKS

MOST_ADDRESSES = 100


class _Stream:
    """What the SDK's handler of one stream listens to: changes of what this client follows, under its addresses."""

    def __init__(self, addresses: dict[str, Place]) -> None:
        self.addresses = addresses
        self.listeners: list[Callable[[ServerEvent], None]] = []

    async def publish(self, event: ServerEvent) -> None:
        for listener in self.listeners:
            listener(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return self.listeners.clear

    async def tell(self, subject: Subject) -> None:
        if subject == LIST:
            await self.publish(ResourcesListChanged())
        for uri in [uri for uri, place in self.addresses.items() if place == subject]:
            await self.publish(ResourceUpdated(uri=uri))


async def listen(
    ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
) -> SubscriptionsListenResult:
    """`subscriptions/listen`: a stream that tells of changes until the client hangs up or may not look any more."""
    wanted = params.notifications
    if (wanted.model_extra or {}).get("taskIds") is not None:
        require_client_extension(ctx, TASKS)  # and none is agreed to: tasks are polled
    caller = await asked(lambda caller: caller)
    stream = _Stream(_addresses(wanted.resource_subscriptions or ()))
    handler = ListenHandler(stream)
    subjects: list[Subject] = [*stream.addresses.values(), *([LIST] if wanted.resources_list_changed else [])]
    follower = await _followed(caller, subjects, stream.tell, handler.close)
    honoured = SubscriptionFilter(
        tools_list_changed=wanted.tools_list_changed,
        prompts_list_changed=wanted.prompts_list_changed,
        resources_list_changed=wanted.resources_list_changed,
        resource_subscriptions=list(stream.addresses) or None,
    )
    try:
        return await handler(ctx, params.model_copy(update={"notifications": honoured}))
    finally:
        watch().leave(follower)


def _addresses(uris: Sequence[str]) -> dict[str, Place]:
    """What can be followed; an address at which nothing can stand is left out of the acknowledgement."""
    if len(uris) > MOST_ADDRESSES:
        remedy = "open another stream for more"
        raise refusal(
            BadInput(f"more than {MOST_ADDRESSES} addresses in a stream", field="resourceSubscriptions", remedy=remedy)
        )
    found = {uri: place_at(uri) for uri in uris}
    return {uri: place for uri, place in found.items() if place is not None}


async def _followed(
    caller: Caller, subjects: list[Subject], tell: Callable[[Subject], Awaitable[None]], end: Callable[[], None]
) -> Follower:
    follower = Follower(caller=caller, tell=tell, end=end)
    try:
        await watch().follow(follower, subjects)
    except TooSoon as error:
        raise refusal(error) from error
    return follower


class OverStdio:
    """What a client from before `subscriptions/listen` follows, over a connection that lasts."""

    def __init__(self) -> None:
        self.addresses: dict[str, Place] = {}
        self.follower: Follower | None = None

    @property
    def handlers(self) -> tuple[Handler, ...]:
        """The methods of such a client."""
        return (
            ("resources/subscribe", SubscribeRequestParams, self.subscribe),
            ("resources/unsubscribe", UnsubscribeRequestParams, self.unsubscribe),
        )

    async def subscribe(self, ctx: ServerRequestContext[Any, Any], params: SubscribeRequestParams) -> EmptyResult:
        """`resources/subscribe`."""
        uri, caller = str(params.uri), await asked(lambda caller: caller)
        place = _addresses([*self.addresses, uri]).get(uri)
        if place is None:
            raise refusal(NotFound(f"there is no resource '{uri[:200]}'", field="uri"), uri=uri)
        if self.follower is None or self.follower not in watch().followers:
            session = ctx.session

            async def tell(subject: Subject) -> None:
                for address in [address for address, at in self.addresses.items() if at == subject]:
                    await session.send_resource_updated(address)

            self.follower = await _followed(caller, [place], tell, self.addresses.clear)
        else:
            await watch().add(self.follower, [place])
        self.addresses[uri] = place
        return EmptyResult()

    async def unsubscribe(self, ctx: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams) -> EmptyResult:
        """`resources/unsubscribe`."""
        place = self.addresses.pop(str(params.uri), None)
        if self.follower is not None and place is not None and place not in self.addresses.values():
            self.follower.seen.pop(place, None)
            if not self.follower.seen:
                watch().leave(self.follower)
        return EmptyResult()


LISTEN: Handler = ("subscriptions/listen", SubscriptionsListenRequestParams, listen)

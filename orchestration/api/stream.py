"""A run's events as they happen (Server-Sent Events). While a stream waits it holds no thread and no connection."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

from asgiref.sync import SyncToAsync
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from rest_framework.exceptions import AuthenticationFailed, Throttled

from orchestration import roles
from orchestration.api.auth import BearerAuthentication, actor_of
from orchestration.api.errors import CONTENT_TYPE, headers_of, of_zen, problem
from orchestration.api.feed import Feed, Viewer, hub, in_pool
from orchestration.api.views import refuse_unknown
from orchestration.errors import ZenError
from orchestration.services import get_run


async def stream(request: HttpRequest, workflow_id: str) -> Any:
    if request.method != "GET":
        return _problem(problem(405, "only GET", instance=request.path), {"Allow": "GET"})
    try:
        viewer = await in_pool(_viewer, request, workflow_id)
        feed = hub().enter(workflow_id, viewer)
    except AuthenticationFailed as error:
        body = problem(401, str(error.detail), instance=request.path)
        return _problem(body, {"WWW-Authenticate": 'Bearer realm="zen"'})
    except Throttled as error:
        return _problem(
            problem(429, str(error.detail), instance=request.path),
            {"Retry-After": str(int(getattr(error, "wait", None) or 1))},
        )
    except ZenError as error:
        return _problem(of_zen(error, request.path), headers_of(error) or {})
    last = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    after = int(last) if last.isascii() and last.isdecimal() and len(last) < 10 else 0
    answer = _Stream(feed, viewer, after)
    answer["Cache-Control"] = "no-cache"
    answer["X-Accel-Buffering"] = "no"
    return answer


class _Stream(StreamingHttpResponse):
    """Has a place among the streams until it is closed, begun or not."""

    def __init__(self, feed: Feed, viewer: Viewer, after: int) -> None:
        self.hub, self.feed, self.viewer, self.is_in = hub(), feed, viewer, True
        super().__init__(self._lines(after), content_type="text/event-stream")

    async def _lines(self, after: int) -> AsyncIterator[str]:
        give_thread_back()
        try:
            yield "retry: 2000\n\n"
            async for event in self.hub.follow(self.feed, self.viewer, after):
                yield _line(event)
        finally:
            self._leave()

    def _leave(self) -> None:
        if self.is_in:
            self.is_in = False
            self.hub.leave(self.feed, self.viewer)

    def close(self) -> None:
        if self.is_in:
            self.feed.loop.call_soon_threadsafe(self._leave)
        super().close()


def _line(event: dict[str, Any] | str) -> str:
    if isinstance(event, dict):
        return f"id: {event['seq']}\nevent: {event['kind']}\ndata: {json.dumps(event)}\n\n"
    if event == "quiet":
        return ": still here\n\n"
    if event == "refused":
        status = HTTPStatus.UNAUTHORIZED
        body = problem(status, "the token or session is not good for this any more", remedy="sign in anew")
        return f"event: refused\ndata: {json.dumps(body)}\n\n"
    return "event: end\ndata: {}\n\n"


def _viewer(request: HttpRequest, workflow_id: str) -> Viewer:
    found = BearerAuthentication().authenticate(request)
    user = found[0] if found else request.user
    if not user.is_authenticated:
        raise AuthenticationFailed("Authentication credentials were not provided.")
    roles.require(actor_of(user), "view")
    refuse_unknown(request.GET, ["after"])
    get_run(workflow_id)
    token = found[1].pk if found else None
    return Viewer(int(user.pk or 0), token, "" if found else request.session.session_key or "")


def give_thread_back() -> None:
    """Of the request, which Django's handler keeps to its end for the parts that are not asynchronous.

    They have run; should there be another, it gets a new one.
    """
    context = SyncToAsync.thread_sensitive_context.get(None)
    executor = SyncToAsync.context_to_thread_executor.pop(context, None) if context is not None else None
    if executor is not None:
        executor.shutdown(wait=False)


def _problem(body: dict[str, Any], headers: dict[str, str]) -> JsonResponse:
    return JsonResponse(body, status=body["status"], content_type=CONTENT_TYPE, headers=headers)

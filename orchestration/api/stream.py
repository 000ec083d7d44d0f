"""A run's events or log as they come (Server-Sent Events). A stream that waits holds no thread and no connection."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any

from asgiref.sync import SyncToAsync
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from rest_framework.exceptions import AuthenticationFailed, Throttled

from foundation.api.errors import CONTENT_TYPE, headers_of, of_zen, problem
from foundation.api.views import refuse_unknown
from foundation.errors import ZenError
from foundation.identity import permissions
from foundation.identity.authentication import BearerAuthentication, actor_of
from orchestration.api.feed import EVENTS, LOG, Feed, Place, Topic, in_pool
from orchestration.api.hub import hub
from orchestration.api.viewers import Viewer
from orchestration.runs import get_run, run_log


async def stream(request: HttpRequest, workflow_id: str) -> Any:
    last = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    after = int(last) if last.isascii() and last.isdecimal() and len(last) < 10 else 0
    return await followed(request, workflow_id, EVENTS, after)


async def log_stream(request: HttpRequest, workflow_id: str) -> Any:
    after = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    return await followed(request, workflow_id, LOG, after, place=_cursor)


def _cursor(after: Any) -> Place:
    run_log.check_cursor(after)
    return str(after)


async def followed(
    request: HttpRequest,
    workflow_id: str,
    topic: Topic,
    after: Place,
    *,
    place: Callable[[Any], Place] = lambda after: after,
    find: Callable[[str], object] = get_run,
) -> Any:
    """A topic of a run as a stream, or why not, as problem details.

    `place` reads the place from what was sent, and `find` looks the run up; what they raise is told.
    """
    if request.method != "GET":
        return _problem(problem(405, "only GET", instance=request.path), {"Allow": "GET"})
    try:
        viewer = await in_pool(_viewer, request, workflow_id, find)
        after = place(after)
        feed = hub().enter(topic, workflow_id, viewer)
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
    answer = _Stream(feed, viewer, after)
    answer["Cache-Control"] = "no-cache"
    answer["X-Accel-Buffering"] = "no"
    return answer


class _Stream(StreamingHttpResponse):
    """Has a place among the streams until it is closed, begun or not."""

    def __init__(self, feed: Feed, viewer: Viewer, after: Place) -> None:
        self.hub, self.feed, self.viewer, self.is_in = hub(), feed, viewer, True
        super().__init__(self._lines(after), content_type="text/event-stream")

    async def _lines(self, after: Place) -> AsyncIterator[str]:
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
        return f"id: {event['seq']}\nevent: {event.get('kind', 'log')}\ndata: {json.dumps(event)}\n\n"
    if event == "quiet":
        return ": still here\n\n"
    if event == "refused":
        status = HTTPStatus.UNAUTHORIZED
        body = problem(status, "the token or session is no longer valid for this", remedy="sign in anew")
        return f"event: refused\ndata: {json.dumps(body)}\n\n"
    return "event: end\ndata: {}\n\n"


def _viewer(request: HttpRequest, workflow_id: str, find: Callable[[str], object]) -> Viewer:
    found = BearerAuthentication().authenticate(request)
    user = found[0] if found else request.user
    if not user.is_authenticated:
        raise AuthenticationFailed("Authentication credentials were not provided.")
    permissions.require(actor_of(user), "view")
    refuse_unknown(request.GET, ["after"])
    find(workflow_id)
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

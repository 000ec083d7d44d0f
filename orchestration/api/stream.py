"""A run's events as they happen (Server-Sent Events). No database connection is held between two looks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from rest_framework.exceptions import AuthenticationFailed

from orchestration import roles, selectors
from orchestration.api.auth import BearerAuthentication, actor_of
from orchestration.api.errors import CONTENT_TYPE, of_zen, problem
from orchestration.api.views import refuse_unknown
from orchestration.core.words import RunStatus
from orchestration.errors import ZenError
from orchestration.services import get_run

LOOK_SECONDS, HEARTBEAT_SECONDS, AT_ONCE = 0.5, 15.0, 200


async def stream(request: HttpRequest, workflow_id: str) -> Any:
    if request.method != "GET":
        body = problem(405, "only GET", instance=request.path)
        return JsonResponse(body, status=405, content_type=CONTENT_TYPE, headers={"Allow": "GET"})
    refused = await sync_to_async(_refused)(request, workflow_id)
    if refused is not None:
        return refused
    last = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    after = int(last) if last.isascii() and last.isdecimal() and len(last) < 10 else 0
    answer = StreamingHttpResponse(_lines(workflow_id, after), content_type="text/event-stream")
    answer["Cache-Control"] = "no-cache"
    answer["X-Accel-Buffering"] = "no"
    return answer


def _refused(request: HttpRequest, workflow_id: str) -> HttpResponse | None:
    try:
        found = BearerAuthentication().authenticate(request)
        user = found[0] if found else request.user
        if not user.is_authenticated:
            raise AuthenticationFailed("Authentication credentials were not provided.")
        roles.require(actor_of(user), "view")
        refuse_unknown(request.GET, ["after"])
        get_run(workflow_id)
    except AuthenticationFailed as error:
        body = problem(401, str(error.detail), instance=request.path)
        headers = {"WWW-Authenticate": 'Bearer realm="zen"'}
        return JsonResponse(body, status=401, content_type=CONTENT_TYPE, headers=headers)
    except ZenError as error:
        body = of_zen(error, request.path)
        return JsonResponse(body, status=body["status"], content_type=CONTENT_TYPE)
    finally:
        _let_go()
    return None


async def _lines(workflow_id: str, after: int) -> AsyncIterator[str]:
    quiet = 0.0
    yield "retry: 2000\n\n"
    while True:
        events, ended = await sync_to_async(_look)(workflow_id, after)
        for event in events:
            after = event["seq"]
            yield f"id: {after}\nevent: {event['kind']}\ndata: {json.dumps(event)}\n\n"
        if ended and not events:
            yield "event: end\ndata: {}\n\n"
            return
        quiet = 0.0 if events else quiet + LOOK_SECONDS
        if quiet >= HEARTBEAT_SECONDS:
            quiet = 0.0
            yield ": still here\n\n"
        if not events:
            await asyncio.sleep(LOOK_SECONDS)


def _look(workflow_id: str, after: int) -> tuple[list[dict[str, Any]], bool]:
    try:
        run = get_run(workflow_id)  # its status first: an event of the end is never missed
        found = selectors.run_events(run, after=after)[:AT_ONCE]
        return [selectors.event_view(event) for event in found], RunStatus(run.status).is_end
    finally:
        _let_go()


def _let_go() -> None:
    if not connection.in_atomic_block:
        connection.close()

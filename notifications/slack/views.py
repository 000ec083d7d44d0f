"""The address that Slack calls."""

from __future__ import annotations

import json
import logging
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from foundation import nudge
from foundation.clock import now
from notifications.models import Press
from notifications.slack.handled import is_kept, problems_of, window_for
from notifications.slack.modal import submitted
from notifications.slack.signature import is_slacks

log = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def actions(request: HttpRequest) -> HttpResponse:
    """The raw bytes are judged before anything is read from them; the answer waits for no decision.

    What needs a reason or a form opens a window for it at once; what is written there comes here as well.
    """
    if not is_slacks(request.body, request.headers):
        return HttpResponse(status=401)
    try:
        payload = json.loads(request.POST.get("payload", ""))
        is_window = payload.get("type") == "view_submission"
        presses, trigger = _presses(payload), str(payload.get("trigger_id", ""))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        log.warning("Slack sent a payload that is not a press of a button")
        return HttpResponse(status=200)
    if is_window and (wrong := {block: why for press in presses for block, why in problems_of(press).items()}):
        return JsonResponse({"response_action": "errors", "errors": wrong})
    for press in presses:
        _take(press, "" if is_window else trigger)  # a window has been asked for all it has to say
    nudge_press_workers()
    return HttpResponse(status=200)


def _presses(payload: dict[str, Any]) -> list[Press]:
    """The buttons of ours that were pressed, or the window that was filled in; none in a payload of another kind.

    Raises KeyError, TypeError, AttributeError, ValueError or RecursionError for what is neither.
    """
    found = _read(payload)
    for press in found:
        if not is_kept(
            "".join((press.key, press.team, press.slack_user, press.value, press.response_url, *press.answers))
        ):
            raise ValueError("a NUL or half a surrogate pair")
    return found


def _read(payload: dict[str, Any]) -> list[Press]:
    if payload.get("type") == "view_submission":
        press = submitted(payload)
        return [press] if press else []
    team, user = str(payload["team"]["id"]), str(payload["user"]["id"])
    url = str(payload.get("response_url", ""))[:500]
    return [
        Press(
            key=f"{team}:{user}:{one['action_ts']}:{one.get('action_id', '')}"[:200], team=team[:40],
            slack_user=user[:40], value=str(one.get("value", ""))[:300], response_url=url,
        )
        for one in payload.get("actions", [])
    ]  # fmt: skip


def _take(press: Press, trigger: str) -> None:
    """Stored, unless a window asks for more first: it can be opened for three seconds, which no queue promises.

    Where it could not be opened nothing is decided either, since the person may yet see it; they are told so.
    """
    if Press.objects.filter(key=press.key).exists():
        return
    if trigger and (told := window_for(press, trigger)) is not None:
        press.answer = told
        if not told:
            return
    at = now()
    fields = ("team", "slack_user", "value", "comment", "answers", "response_url", "answer")
    given = {name: getattr(press, name) for name in fields}
    Press.objects.get_or_create(key=press.key, defaults={**given, "received_at": at, "due_at": at})


def nudge_press_workers() -> None:
    """Nudge a worker. If the nudge is lost, a worker finds the row within a second or so; Slack never waits for it."""
    nudge.nudge_workers("approvals.presses")

"""The door that Slack knocks at."""

from __future__ import annotations

import json
import logging
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from approvals.models import Press
from approvals.slack import window
from approvals.slack.signature import is_slacks
from notifications import bell
from orchestration.clock import now

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
        if payload.get("type") == "view_submission":
            press, wrong = window.given(payload)
            presses, trigger = [press] if press else [], ""  # it has been asked for all it has to say
        else:
            presses, wrong, trigger = _presses(payload), {}, str(payload.get("trigger_id", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        log.warning("Slack sent a payload that is not a press of a button")
        return HttpResponse(status=200)
    if wrong:
        return JsonResponse(wrong)
    for press in presses:
        _take(press, trigger)
    ring()
    return HttpResponse(status=200)


def _presses(payload: dict[str, Any]) -> list[Press]:
    """The buttons of ours that were pressed; none in a payload of another kind."""
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
    """Stored, unless a window asks for more first: it can be opened for three seconds, which no queue promises."""
    if Press.objects.filter(key=press.key).exists() or (trigger and window.asked_for(press, trigger)):
        return
    fields = ("team", "slack_user", "value", "comment", "answers", "response_url", "answer")
    given = {name: getattr(press, name) for name in fields}
    Press.objects.get_or_create(key=press.key, defaults={**given, "received_at": now()})


def ring() -> None:
    """If the bell is not heard, a worker finds the row within a second or so. Slack is never kept waiting."""
    bell.ring("approvals.presses")

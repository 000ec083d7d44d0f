"""The door that Slack knocks at."""

from __future__ import annotations

import json
import logging
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from approvals.models import Press
from approvals.slack.signature import is_slacks
from orchestration.clock import now

log = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def actions(request: HttpRequest) -> HttpResponse:
    """The raw bytes are judged before anything is read from them; the answer waits for no decision."""
    if not is_slacks(request.body, request.headers):
        return HttpResponse(status=401)
    for press in _presses(request.POST.get("payload", "")):
        Press.objects.get_or_create(key=press.pop("key"), defaults=press | {"received_at": now()})
    ring()
    return HttpResponse(status=200)


def _presses(payload: str) -> list[dict[str, Any]]:
    """The buttons of ours that were pressed; none in a payload of another kind."""
    try:
        given = json.loads(payload)
        team, user = str(given["team"]["id"]), str(given["user"]["id"])
        url = str(given.get("response_url", ""))[:500]
        return [
            {
                "key": f"{team}:{user}:{one['action_ts']}:{one.get('action_id', '')}"[:200],
                "team": team[:40],
                "slack_user": user[:40],
                "value": str(one.get("value", ""))[:300],
                "response_url": url,
            }
            for one in given.get("actions", [])
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        log.warning("Slack sent a payload that is not a press of a button")
        return []


def ring() -> None:
    """If the bell is not heard, the next sweep finds the row."""
    from approvals.tasks import presses

    try:
        presses.apply_async(retry=False)
    except Exception:  # noqa: BLE001 - whatever a broker raises when it is away
        log.info("no broker heard the bell; the sweep will find the press")

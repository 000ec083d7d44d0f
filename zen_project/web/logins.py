"""Guessed passwords: django-axes counts them by account and by address; here are its answer and the audit's row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from foundation import audit
from foundation.clock import now
from foundation.identity.actor import Actor
from foundation.models import AuditEvent
from zen_project.web.addresses import client_address

CHAIN = "logins"
LONGEST_NAME = 150


def locked(request: HttpRequest, original: HttpResponse | None = None, credentials: Any = None) -> HttpResponse:
    """The answer to every attempt until the time is over, the right password's too."""
    pause: timedelta = settings.AXES_COOLOFF_TIME
    answer = render(request, "429.html", {"minutes": round(pause.total_seconds() / 60)}, status=429)
    answer["Retry-After"] = str(round(pause.total_seconds()))
    return answer


@receiver(user_login_failed, dispatch_uid="zen: audit")
def failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Each failure, and once that there were too many: attempts at a shut door fill no audit."""
    if request is None:
        return
    name, address = str(credentials.get("username") or "")[:LONGEST_NAME].replace("\x00", "?"), client_address(request)
    actor = Actor(name=name, door="admin")
    if not getattr(request, "axes_locked_out", False):
        audit.record(actor=actor, action="login.failed", workflow_id=CHAIN, address=address)
        return
    since = now() - settings.AXES_COOLOFF_TIME
    told = AuditEvent.objects.filter(workflow_id=CHAIN, action="login.locked", at__gt=since)
    if not any(row.actor == name or row.data.get("address") == address for row in told.order_by("-id")[:1000]):
        audit.record(actor=actor, action="login.locked", workflow_id=CHAIN, address=address)

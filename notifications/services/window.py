"""Open a window in Slack for whoever has just pressed a button."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from notifications import ports
from notifications.models import Channel
from notifications.text import cut

SECONDS = 2
"""Slack forgets the press after three, and whoever pressed waits for it."""


def open_window(*, subject: str, trigger: str, view: Mapping[str, Any]) -> str:
    """Through the app that told of the subject; '' when it is open, else why it is not. Nothing is tried again."""
    told = Channel.objects.filter(kind=Channel.SLACK, enabled=True, deliveries__notice__subject=subject)
    channel = told.order_by("-deliveries__id").first()
    if channel is None:
        return "no channel of Slack has told of it"
    try:
        token = ports.resolve(channel.token)
    except Exception as error:  # noqa: BLE001 - the resolver is another room's, and so are its errors
        return cut(ports.redact(str(error)), 200)
    client = WebClient(token=token, base_url=settings.ZEN_NOTIFY_SLACK_URL, timeout=SECONDS, retry_handlers=[])
    try:
        client.views_open(trigger_id=trigger, view=dict(view))
    except SlackApiError as error:
        return f"Slack answered {cut(str(error.response.get('error') or error.response.status_code), 200)}"
    except (SlackClientError, OSError) as error:
        return f"Slack did not answer: {type(error).__name__}"
    return ""

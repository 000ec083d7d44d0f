"""Opens a window in Slack for the person who has just pressed a button, and reads what comes back from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from foundation.secrets.redaction import redact
from foundation.secrets.store import MissingSecret, resolve
from foundation.visible_text import cut
from notifications.models import Channel, Press
from notifications.ports import Modal

SECONDS = 2
"""Slack forgets the press after three seconds, and the person who pressed waits for the answer."""

WINDOW = "zen:window"
COMMENT, ANSWER = "zen:comment", "answers."
"""Blocks of a window: of the comment, and the beginning of those whose input is an answer of that name."""

FIELD = "value"
"""The input in each block."""

LONGEST = 3000
"""Slack's own limit of such a field."""


def opened(modal: Modal, press: Press, trigger: str) -> str:
    """Open it, in one attempt; '' when it is open, otherwise what to tell the person.

    `trigger`: Slack's trigger id of the press, valid for three seconds.
    """
    why = _open(modal.subject, trigger, _view(modal, press))
    told = f"Nothing is decided: the window for what is still to be said did not open ({why}). {modal.instead}"
    return told if why else ""


def _view(modal: Modal, press: Press) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": WINDOW,
        "private_metadata": json.dumps({"value": press.value, "response_url": press.response_url}),
        "title": plain(modal.title),
        "submit": plain(modal.title),
        "close": plain("Cancel"),
        "blocks": list(modal.blocks),
    }


def _open(subject: str, trigger: str, view: Mapping[str, Any]) -> str:
    """Through the Slack app that told of the subject; '' when it is open, otherwise why not."""
    told = Channel.objects.filter(kind=Channel.SLACK, enabled=True, deliveries__notice__subject=subject)
    channel = told.order_by("-deliveries__id").first()
    if channel is None:
        return "no channel of Slack has told of it"
    try:
        token = resolve(channel.token)
    except MissingSecret as error:
        return cut(redact(str(error)), 200)
    client = WebClient(token=token, base_url=settings.ZEN_NOTIFY_SLACK_URL, timeout=SECONDS, retry_handlers=[])
    try:
        client.views_open(trigger_id=trigger, view=dict(view))
    except SlackApiError as error:
        return f"Slack answered {cut(str(error.response.get('error') or error.response.status_code), 200)}"
    except (SlackClientError, OSError) as error:
        return f"Slack did not answer: {type(error).__name__}"
    return ""


def submitted(payload: Mapping[str, Any]) -> Press | None:
    """The press that a filled-in window is; None for another app's.

    Raises KeyError, TypeError, AttributeError or ValueError for what is no window of ours.
    """
    view = payload["view"]
    if view["callback_id"] != WINDOW:
        return None
    kept, values = json.loads(view["private_metadata"]), view["state"]["values"]
    answers = {
        block.removeprefix(ANSWER): text
        for block, state in values.items()
        if block.startswith(ANSWER) and (text := value_in(state[FIELD])) is not None
    }
    team, user = str(payload["team"]["id"]), str(payload["user"]["id"])
    return Press(
        key=f"{team}:{user}:{view['id']}:window"[:200], team=team[:40], slack_user=user[:40],
        value=str(kept["value"])[:300], comment=(value_in(values[COMMENT][FIELD]) or "")[:LONGEST], answers=answers,
        response_url=str(kept["response_url"])[:500],
    )  # fmt: skip


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def value_in(state: Mapping[str, Any]) -> str | None:
    """What an input holds, as text that a database keeps; None for nothing."""
    chosen = state.get("selected_option") or {}
    found = state.get("value") or state.get("selected_date") or chosen.get("value")
    return str(found).replace("\0", "").encode(errors="replace").decode() if found else None

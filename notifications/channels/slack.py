"""Slack, by its Web API: a message with buttons, and its change once there is nothing left to press."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from foundation.outbound.retry_after import retry_after
from foundation.visible_text import cut
from notifications.channels.envelope import Envelope, Item, Outcome
from notifications.channels.mrkdwn import escape, escape_within, link, mrkdwn

SECONDS = 15
LONGEST_SECTION, LONGEST_TEXT = 2900, 3000
STAR = "\N{ASTERISK OPERATOR}"
"""In the place of one that would end the bold title."""
PASSING = frozenset({
    "fatal_error", "internal_error", "ratelimited", "rate_limited", "request_timeout", "service_unavailable",
    "team_added_to_org",
})  # fmt: skip
"""What Slack calls an error that may be gone at the next attempt; every other one stays."""


def send(parcel: Envelope) -> Outcome:
    client = WebClient(token=parcel.token, base_url=settings.ZEN_NOTIFY_SLACK_URL, timeout=SECONDS, retry_handlers=[])
    body: dict[str, Any] = {"text": _fallback(parcel), "blocks": _blocks(parcel)}
    try:
        if parcel.changes:
            reference = parcel.changes
            client.chat_update(channel=reference["channel"], ts=reference["ts"], **body)
            return Outcome(reference=reference)
        answer = client.chat_postMessage(
            channel=parcel.address or parcel.target, unfurl_links=False, unfurl_media=False, **body
        )
    except SlackApiError as error:
        return _refused(error)
    except (SlackClientError, OSError) as error:
        return Outcome(error=f"Slack did not answer: {error or type(error).__name__}")
    return Outcome(reference={"channel": answer["channel"], "ts": answer["ts"]})


def _refused(error: SlackApiError) -> Outcome:
    response: Any = error.response
    status, word = response.status_code, str(response.get("error") or "no reason given")
    passing = word in PASSING or status in (408, 429) or status >= 500
    headers = {name.lower(): value for name, value in response.headers.items()}
    said = f"Slack answered {status}: {cut(word, 200)}"
    return Outcome(error=said, permanent=not passing, retry_after=retry_after(headers))


def _fallback(parcel: Envelope) -> str:
    """What a notification on a phone shows."""
    lines = [" ".join(filter(None, (escape(item.title), escape(item.url)))) for item in parcel.items]
    return "\n".join(lines)[:LONGEST_TEXT]


def _blocks(parcel: Envelope) -> list[dict[str, Any]]:
    return [block for item in parcel.items for block in _item(item)]


def _item(item: Item) -> list[dict[str, Any]]:
    head = f"*{escape_within(item.title.replace('*', STAR), 400)}*"
    foot = f"\n{link(item.url, 'Open in Zen')}" if item.url else ""
    room = LONGEST_SECTION - len(head) - len(foot)
    text = f"{head}\n{mrkdwn(item.text, max(room, 100))}{foot}" if item.text.strip() else head + foot
    blocks: list[dict[str, Any]] = [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]
    if item.buttons:
        elements = [_button(number, *button) for number, button in enumerate(item.buttons)]
        blocks.append({"type": "actions", "block_id": f"zen:{item.id}", "elements": elements})
    return blocks


def _button(number: int, label: str, value: str, style: str) -> dict[str, Any]:
    text = {"type": "plain_text", "text": label}
    element = {"type": "button", "action_id": f"zen:{number}", "text": text, "value": value}
    return element | ({"style": style} if style else {})

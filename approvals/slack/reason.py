"""A no is given with its reason: the window that the button opens, and what comes back from it."""

from __future__ import annotations

import json
from typing import Any

from approvals.core.words import Choice, Status
from approvals.links import page_of
from approvals.models import Press, Request
from approvals.notices import subject_of
from approvals.selectors import open_stage
from approvals.slack.meaning import Meant, meant
from notifications.services import open_window
from notifications.text import one_line

WINDOW, BLOCK, FIELD = "zen:reason", "zen:reason", "text"
LONGEST = 3000  # Slack's own limit of such a field
EMPTY = "Say why, in a sentence."


def asked_for(press: Press, trigger: str) -> bool:
    """Whether the press needs no more than the window that is open now: its reason comes as a press of its own.

    Where it could not be opened nothing is decided either, since the person may yet see it; they are told so.
    """
    found = meant(press)
    if not isinstance(found, Meant) or found.word is not Choice.REJECT or Status(found.request.status).is_end:
        return False
    view = _window(found.request, press)
    why = open_window(subject=subject_of(found.request), trigger=trigger, view=view)
    if why:
        press.answer = (
            f"Nothing is decided: the window for your reason did not open ({why}). Press again, or decide on its page: "
            f"{page_of(found.request)}"
        )
    return not why


def _window(request: Request, press: Press) -> dict[str, Any]:
    must = Choice.REJECT in open_stage(request).must_comment_on
    field = {"type": "plain_text_input", "action_id": FIELD, "multiline": True, "max_length": LONGEST}
    return {
        "type": "modal",
        "callback_id": WINDOW,
        "private_metadata": json.dumps({"value": press.value, "response_url": press.response_url, "must": must}),
        "title": _plain("Reject"),
        "submit": _plain("Reject"),
        "close": _plain("Cancel"),
        "blocks": [
            {"type": "section", "text": _plain(one_line(request.title, 300) or request.request_id)},
            {"type": "input", "block_id": BLOCK, "optional": not must, "label": _plain("Why"), "element": field},
        ],
    }


def _plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def given(payload: dict[str, Any]) -> tuple[Press | None, dict[str, Any]]:
    """The press that a filled-in window is, and what Slack is to say beside the field. Raises for what is not ours."""
    view = payload["view"]
    if view["callback_id"] != WINDOW:
        return None, {}
    kept = json.loads(view["private_metadata"])
    text = str(view["state"]["values"][BLOCK][FIELD].get("value") or "").replace("\0", "")
    if kept["must"] and not text.strip():
        return None, {"response_action": "errors", "errors": {BLOCK: EMPTY}}
    team, user = str(payload["team"]["id"]), str(payload["user"]["id"])
    return Press(
        key=f"{team}:{user}:{view['id']}:window"[:200], team=team[:40], slack_user=user[:40],
        value=str(kept["value"])[:300], comment=text[:LONGEST], response_url=str(kept["response_url"])[:500],
    ), {}  # fmt: skip

"""What a button alone cannot say: the window that it opens for a reason and a form, and what comes back from it."""

from __future__ import annotations

import json
from typing import Any

from approvals.answers import INPUT, answers_to
from approvals.core.policy import Stage
from approvals.core.words import Choice, Status
from approvals.links import page_of
from approvals.models import Press
from approvals.notices import subject_of
from approvals.selectors import open_stage
from approvals.slack.fields import FIELD, input_of, plain, value_in
from approvals.slack.meaning import Meant, meant
from notifications.services import open_window
from notifications.text import one_line
from orchestration.errors import BadInput

WINDOW, COMMENT = "zen:window", "zen:comment"
LONGEST = 3000  # Slack's own limit of such a field
EMPTY = "Say why, in a sentence."


def asked_for(press: Press, trigger: str) -> bool:
    """Whether the press needs no more than the window that is open now: what is written there is a press of its own.

    Where it could not be opened nothing is decided either, since the person may yet see it; they are told so.
    """
    found = meant(press)
    if not isinstance(found, Meant) or Status(found.request.status).is_end or not _asks_more(found):
        return False
    why = open_window(subject=subject_of(found.request), trigger=trigger, view=_window(found, press))
    if why:
        press.answer = (
            f"Nothing is decided: the window for what is still to be said did not open ({why}). Press again, or decide "
            f"on its page: {page_of(found.request)}"
        )
    return not why


def _asks_more(found: Meant) -> bool:
    stage = open_stage(found.request)
    must = found.word is Choice.REJECT or _must_comment(stage, found.word)
    return must or bool(stage.asked_with(found.word))


def _must_comment(stage: Stage, word: str) -> bool:
    return word in stage.must_comment_on


def _window(found: Meant, press: Press) -> dict[str, Any]:
    stage, word = open_stage(found.request), found.word.replace("-", " ").capitalize()
    text = {"type": "plain_text_input", "action_id": FIELD, "multiline": True, "max_length": LONGEST}
    optional = not _must_comment(stage, found.word)
    return {
        "type": "modal",
        "callback_id": WINDOW,
        "private_metadata": json.dumps({"value": press.value, "response_url": press.response_url}),
        "title": plain(word),
        "submit": plain(word),
        "close": plain("Cancel"),
        "blocks": [
            {"type": "section", "text": plain(one_line(found.request.title, 300) or found.request.request_id)},
            *(input_of(field, f"{INPUT}{field.name}") for field in stage.asked_with(found.word)),
            {"type": "input", "block_id": COMMENT, "optional": optional, "label": plain("Why"), "element": text},
        ],
    }


def given(payload: dict[str, Any]) -> tuple[Press | None, dict[str, Any]]:
    """The press that a filled-in window is, and what Slack is to say beside its fields. Raises for what is not ours."""
    view = payload["view"]
    if view["callback_id"] != WINDOW:
        return None, {}
    kept, values = json.loads(view["private_metadata"]), view["state"]["values"]
    answers = {
        block.removeprefix(INPUT): text
        for block, state in values.items()
        if block.startswith(INPUT) and (text := value_in(state[FIELD])) is not None
    }
    team, user = str(payload["team"]["id"]), str(payload["user"]["id"])
    press = Press(
        key=f"{team}:{user}:{view['id']}:window"[:200], team=team[:40], slack_user=user[:40],
        value=str(kept["value"])[:300], comment=(value_in(values[COMMENT][FIELD]) or "")[:LONGEST], answers=answers,
        response_url=str(kept["response_url"])[:500],
    )  # fmt: skip
    wrong = _wrong(press)
    return (None if wrong else press), ({"response_action": "errors", "errors": wrong} if wrong else {})


def _wrong(press: Press) -> dict[str, str]:
    """By block, what whoever wrote it can mend; what else is wrong they hear once it is decided."""
    found = meant(press)
    if not isinstance(found, Meant) or Status(found.request.status).is_end:
        return {}
    stage = open_stage(found.request)
    if _must_comment(stage, found.word) and not press.comment.strip():
        return {COMMENT: EMPTY}
    try:
        answers_to(stage.form, found.word, press.answers)
    except BadInput as error:
        return {str(one["field"]): f"{one['message']}: {one['remedy']}" for one in error.problems}
    return {}

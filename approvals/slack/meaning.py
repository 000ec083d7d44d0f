"""What a press of a button means: whose account, which decision, and the window where the button does not say all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from approvals.core.enums import Choice, Status
from approvals.core.policy.definition import Stage
from approvals.core.policy.form import LONGEST_CHOICE, FormField
from approvals.models import Request
from approvals.models.request import subject_of
from approvals.queries.requests import open_stage
from approvals.requests.form_answers import INPUT, answers_to, wanted
from approvals.requests.form_answers import LONGEST as LONGEST_ANSWER
from approvals.requests.messages.links import page_of
from approvals.requests.messages.texts import button_of, tells_all
from foundation.errors import BadInput
from foundation.visible_text import one_line
from notifications.models import Contact, Press
from notifications.ports import Modal
from notifications.slack.modal import ANSWER, COMMENT, FIELD, LONGEST, plain

EMPTY = "Say why, in a sentence."
LONGEST_LABEL = 2000
TRUTH = ("yes", "no")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    user: Any
    request: Request
    word: Choice


def meant(press: Press) -> Meant | str:
    """The account and the decision, or why the press means nothing, in words for the person who pressed."""
    request_id, _, rest = press.value.partition("|")
    word = rest.rpartition("|")[2]
    if settings.ZEN_SLACK_TEAM and press.team != settings.ZEN_SLACK_TEAM:
        return "This workspace is not the one that approvals are decided in."
    contact = Contact.objects.select_related("user").filter(slack_id=press.slack_user).exclude(slack_id="").first()
    if contact is None or not contact.user.is_active:
        return "Your Slack account is not linked to an account here. Ask an administrator to enter it in your contact."
    request = Request.objects.select_related("policy").filter(request_id=request_id).first()
    if request is None or word not in list(Choice):
        return "This button no longer works: the request does not exist."
    if not Status(request.status).is_end and button_of(request, word) != press.value:
        return f"Nothing is decided: the request has changed since this was shown. See it as it is: {page_of(request)}"
    if not Status(request.status).is_end and word == Choice.APPROVE and not tells_all(request):
        return (
            f"Nothing is decided: the message does not show all that is asked. A yes is given here: {page_of(request)}"
        )
    return Meant(user=contact.user, request=request, word=Choice(word))


def modal_for(press: Press) -> Modal | None:
    """None where the button says all: what is written in the window is a press of its own."""
    found = meant(press)
    if not isinstance(found, Meant) or Status(found.request.status).is_end or not _asks_more(found):
        return None
    return Modal(
        subject=subject_of(found.request),
        title=found.word.replace("-", " ").capitalize(),
        blocks=_blocks(found),
        instead=f"Press again, or decide on its page: {page_of(found.request)}",
    )


def _asks_more(found: Meant) -> bool:
    stage = open_stage(found.request)
    must = found.word is Choice.REJECT or _must_comment(stage, found.word)
    return must or bool(stage.asked_with(found.word))


def _must_comment(stage: Stage, word: str) -> bool:
    return word in stage.must_comment_on


def _blocks(found: Meant) -> list[dict[str, Any]]:
    stage = open_stage(found.request)
    text = {"type": "plain_text_input", "action_id": FIELD, "multiline": True, "max_length": LONGEST}
    optional = not _must_comment(stage, found.word)
    return [
        {"type": "section", "text": plain(one_line(found.request.title, 300) or found.request.request_id)},
        *(input_of(field, f"{ANSWER}{field.name}") for field in stage.asked_with(found.word)),
        {"type": "input", "block_id": COMMENT, "optional": optional, "label": plain("Why"), "element": text},
    ]


def problems(press: Press) -> dict[str, str]:
    """{block: message} for faults that the person can correct in the window.

    Other refusals are told after the decision.
    """
    found = meant(press)
    if not isinstance(found, Meant) or Status(found.request.status).is_end:
        return {}
    stage = open_stage(found.request)
    if _must_comment(stage, found.word) and not press.comment.strip():
        return {COMMENT: EMPTY}
    try:
        answers_to(stage.form, found.word, press.answers)
    except BadInput as error:
        return {_block(str(one["field"])): f"{one['message']}: {one['remedy']}" for one in error.problems}
    return {}


def _block(field: str) -> str:
    return ANSWER + field.removeprefix(INPUT)


def input_of(field: FormField, block: str) -> dict[str, Any]:
    """The block with the input."""
    return {
        "type": "input",
        "block_id": block,
        "optional": not field.required,
        "label": plain(one_line(field.title, LONGEST_LABEL)),
        "hint": plain(one_line(wanted(field), LONGEST_LABEL)),
        "element": {"action_id": FIELD, **_element(field)},
    }


def _element(field: FormField) -> dict[str, Any]:
    match field.type:
        case "number" | "integer":
            bounds = {"min_value": field.minimum, "max_value": field.maximum}
            said = {name: f"{bound:.15g}" for name, bound in bounds.items() if bound is not None}
            return {"type": "number_input", "is_decimal_allowed": field.type == "number", **said}
        case "boolean":
            return {"type": "radio_buttons", "options": [_option(word) for word in TRUTH]}
        case "choice":
            return {"type": "static_select", "options": [_option(choice) for choice in field.choices]}
        case "date":
            return {"type": "datepicker"}
        case _:
            return {"type": "plain_text_input", "max_length": LONGEST_ANSWER}


def _option(choice: str) -> dict[str, Any]:
    return {"text": plain(one_line(choice, LONGEST_CHOICE)), "value": choice}

"""Whose account pressed, and what they meant by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from approvals.core.words import Choice, Status
from approvals.links import page_of
from approvals.models import Press, Request
from approvals.notices import button_of
from approvals.told import tells_all
from notifications.models import Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    user: Any
    request: Request
    word: Choice


def meant(press: Press) -> Meant | str:
    """Or why it means nothing, for whoever pressed."""
    request_id, _, rest = press.value.partition("|")
    word = rest.rpartition("|")[2]
    if settings.ZEN_SLACK_TEAM and press.team != settings.ZEN_SLACK_TEAM:
        return "This workspace is not the one that approvals are decided in."
    contact = Contact.objects.select_related("user").filter(slack_id=press.slack_user).exclude(slack_id="").first()
    if contact is None or not contact.user.is_active:
        return "Your Slack account belongs to no account here. Ask an administrator to enter it in your contact."
    request = Request.objects.select_related("policy").filter(request_id=request_id).first()
    if request is None or word not in list(Choice):
        return "This button is no longer of use: there is no such request."
    if not Status(request.status).is_end and button_of(request, word) != press.value:
        return f"Nothing is decided: the request has changed since this was shown. See it as it is: {page_of(request)}"
    if not Status(request.status).is_end and word == Choice.APPROVE and not tells_all(request):
        return (
            f"Nothing is decided: the message does not show all that is asked. A yes is given here: {page_of(request)}"
        )
    return Meant(user=contact.user, request=request, word=Choice(word))

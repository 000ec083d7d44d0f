"""Whose account pressed, and what they meant by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from approvals.core.words import Choice
from approvals.models import Press, Request
from notifications.models import Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    user: Any
    request: Request
    word: Choice


def meant(press: Press) -> Meant | str:
    """Or why it means nothing, for whoever pressed."""
    request_id, _, rest = press.value.partition("|")
    round_, _, word = rest.partition("|")
    if settings.ZEN_SLACK_TEAM and press.team != settings.ZEN_SLACK_TEAM:
        return "This workspace is not the one that approvals are decided in."
    contact = Contact.objects.select_related("user").filter(slack_id=press.slack_user).first()
    if contact is None or not contact.user.is_active:
        return "Your Slack account belongs to no account here. Ask an administrator to enter it in your contact."
    request = Request.objects.select_related("policy").filter(request_id=request_id).first()
    if request is None or word not in list(Choice) or str(request.round) != round_:
        return "This button is no longer of use: the request has changed since. Open it to see it as it is."
    return Meant(user=contact.user, request=request, word=Choice(word))

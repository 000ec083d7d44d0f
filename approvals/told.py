"""Whether a message shows all that a yes would be to: context and action stay on the page, behind the login."""

from __future__ import annotations

from approvals.core.shown import shows
from approvals.models import Request
from notifications.senders.mrkdwn import escape, mrkdwn
from notifications.text import clean
from orchestration.templatetags.zen import visible

LONGEST_EXTRACT = 1500
LONGEST_TITLE = 250
"""What is left of a message's title behind the words that say what it is about."""


def tells_all(request: Request) -> bool:
    """In Slack, where it can be answered at once; else the yes is given on the request's page."""
    content = request.content
    if content.get("context") or content.get("action") or request.edits:
        return False
    title, description = str(content.get("title", "")), str(content.get("description", ""))
    if len(escape(title)) > LONGEST_TITLE or len(description) > LONGEST_EXTRACT:
        return False
    told = mrkdwn(clean(description), LONGEST_EXTRACT)
    return shows(visible(title), clean(title)) and shows(visible(description), told)

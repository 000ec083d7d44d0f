"""Tell whoever pressed a button in Slack what came of it. Touches no row."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx2
from django.conf import settings

from foundation.outbound.retry_after import retry_after
from foundation.outbound.transport import NO_ANSWER, begin, client
from notifications.channels.envelope import Outcome, of_status

SLACK_HOST = "hooks.slack.com"
SECONDS = 10.0
"""Of the whole attempt, however slowly an answer trickles."""


def tell(response_url: str, answer: str) -> Outcome:
    """Only the person who pressed sees it. The message itself is changed when its subject is settled.

    Nothing is sent to an address that is not Slack's.
    """
    try:
        if urlsplit(response_url).hostname not in (SLACK_HOST, urlsplit(settings.ZEN_NOTIFY_SLACK_URL).hostname):
            return Outcome()
        body = {"response_type": "ephemeral", "replace_original": False, "text": answer}
        begin(SECONDS)
        with client().stream("POST", response_url, json=body, follow_redirects=False) as response:
            wish = retry_after(response.headers)
    except NO_ANSWER as error:
        return Outcome(error=type(error).__name__)
    except (httpx2.InvalidURL, ValueError) as error:  # what no address is: of a payload that Slack has signed
        return Outcome(error=type(error).__name__, permanent=True)
    if response.is_success:
        return Outcome()
    return of_status(response.status_code, "refused", wish)

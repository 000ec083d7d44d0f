"""Whether a request is Slack's: its signature over the raw body, not older than five minutes."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from slack_sdk.signature import SignatureVerifier


def is_slacks(body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether the request is Slack's. False without a signing secret."""
    secret = settings.ZEN_SLACK_SIGNING_SECRET
    stamp, signature = headers.get("X-Slack-Request-Timestamp"), headers.get("X-Slack-Signature")
    if not secret or not stamp or not signature:
        return False
    try:
        return bool(SignatureVerifier(secret).is_valid(body=body, timestamp=stamp, signature=signature))
    except (ValueError, TypeError, OverflowError):  # no time, or none that a clock has; no text; not in ASCII
        return False

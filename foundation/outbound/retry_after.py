"""When a service that refused wants to be asked again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from foundation.clock import now

SECONDS = re.compile(r"[0-9]+(\.[0-9]*)?")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from a number (services send 0.5, too) or an HTTP date; None when it is neither.

    `headers`: by their names in small letters. A date is of the server's clock, so it is compared with the answer's
    own `Date`; without one with ours.
    """
    text = headers.get("retry-after", "").strip()
    if SECONDS.fullmatch(text):
        return float(text)
    due = _moment(text)
    if due is None:
        return None
    try:
        return max(0.0, (due - (_moment(headers.get("date", "")) or now())).total_seconds())
    except OverflowError:
        return None


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text.strip())
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

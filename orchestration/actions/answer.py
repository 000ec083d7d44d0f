"""What an HTTP answer means, and what of it is the step's output."""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime

from pydantic import JsonValue

from orchestration.actions.base import Call, Result
from orchestration.actions.exchange import Answer, is_expected
from orchestration.actions.output import parsed, too_large
from orchestration.actions.redaction import head
from orchestration.core.words import Outcome, Purpose

TRY_LATER = {408: True, 425: False, 429: False}
"""Statuses that ask for another try → whether the other side may have acted."""
QUOTED = 300
"""Characters of a refusal's body that its error repeats."""


def judged(call: Call, answer: Answer) -> Result:
    status = answer.status
    gone = call.purpose is Purpose.UNDO and str(call.action.get("method")) == "DELETE" and status in (404, 410)
    if gone or is_expected(call.action.get("expected_status"), status):
        if answer.is_whole or call.purpose is Purpose.UNDO:
            return Result(outcome=Outcome.SUCCEEDED, output=output_of(answer.body) if answer.is_whole else {})
        return Result(outcome=Outcome.FAILED, maybe=True, error=too_large(f"the answer ({status})"))
    said = head(answer.body.decode(errors="replace"), QUOTED, is_whole=answer.is_whole)
    error = f"{answer.method} {answer.host} answered {status}: {said}"
    if status in TRY_LATER or status >= 500:
        after = retry_after(answer.headers.get("retry-after"))
        return Result(outcome=Outcome.RETRYABLE, maybe=TRY_LATER.get(status, True), error=error, retry_after=after)
    return Result(outcome=Outcome.FAILED, error=error)


def output_of(body: bytes) -> JsonValue:
    """The JSON object of an answer; any other body under the key `body`; {} for none."""
    if not body:
        return {}
    try:
        value = parsed(body)
    except ValueError:
        return {"body": body.decode(errors="replace")}
    return value if isinstance(value, dict) else {"body": value}


def retry_after(header: str | None) -> float | None:
    """Seconds, from a number or an HTTP date; None when it is neither."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        due = email.utils.parsedate_to_datetime(text)
        return max(0.0, ((due if due.tzinfo else due.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None

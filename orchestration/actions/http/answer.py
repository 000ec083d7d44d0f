"""What an HTTP answer means, and what of it is the step's output."""

from __future__ import annotations

from dataclasses import dataclass

import httpx2
from pydantic import JsonValue

from foundation.outbound.redirects import READING
from foundation.outbound.retry_after import retry_after
from foundation.secrets.masking import SLACK, excerpt, text_shown, url_shown
from foundation.secrets.redaction import head
from orchestration.actions import conditions
from orchestration.actions.base import Call, Result
from orchestration.actions.http.exchange import Answer, is_expected
from orchestration.actions.http.response_body import value_of
from orchestration.actions.output import NoNumber, too_large
from orchestration.core.definition.calls import EVERY_SECONDS, MOST_POLLS
from orchestration.core.enums import Outcome, Purpose

TRY_LATER = {408: True, 425: False, 429: False}
"""Statuses that ask for another try → whether the other side may have acted."""
WAITED_OUT = (404, 409, 423)
"""Refusals that `until` waits out; the others do not pass by waiting."""
QUOTED = 300
"""Characters of a refusal's body that its error repeats."""
MOST_OF_BODY = 2000
"""Characters of it that are kept with the attempt, where that is more."""
LONGEST_URL = 1000
MOST_OF_HEADER, MOST_OF_HEADERS = 4096, 16384
"""Characters of a header, and of all headers, that are kept."""
CREDENTIALS = frozenset({
    "set-cookie", "set-cookie2", "cookie", "authorization", "www-authenticate", "authentication-info", "x-api-key",
    "x-auth-token", "x-csrf-token", "x-amz-security-token",
})  # fmt: skip
"""Headers that are not kept, as those that begin with `proxy-`."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept of an answer: its `body`, for conditions, and the `output`; or why that cannot be."""

    body: JsonValue = None
    output: JsonValue = None
    fault: str = ""


def judged(call: Call, answer: Answer) -> Result:
    """The outcome (rule 4): what `fail_on` and `retry_on` say, then `until`, then the status."""
    action, status = call.action, answer.status
    kept = _kept(answer)
    for key, outcome in (("fail_on", Outcome.FAILED), ("retry_on", Outcome.RETRYABLE)):
        if _is_one_of(action.get(key), answer, kept):
            unsure = key == "retry_on" and status < 400 and answer.method not in READING
            maybe = TRY_LATER.get(status, status >= 500) or unsure
            return _refused(answer, outcome, maybe, why=f" ({key})")
    gone = call.purpose is Purpose.UNDO and answer.method == "DELETE" and status in (404, 410)
    is_good = gone or is_expected(action.get("expected_status"), status)
    until = action.get("until")
    if isinstance(until, str) and not gone:
        if _is_one_of(until, answer, kept):
            is_good = is_good or action.get("expected_status") is None
        elif is_good and (kept.fault or len(answer.body) > conditions.MOST_BODY_BYTES):
            fault = kept.fault or f"the answer is larger than {conditions.MOST_BODY_BYTES} bytes"
            return Result(outcome=Outcome.FAILED, maybe=True, error=f"{fault}, so `until` cannot be asked of it")
        elif is_good or status < 300 or status in WAITED_OUT:
            return _not_yet(call, answer)
    if is_good and (not kept.fault or call.purpose is Purpose.UNDO):
        return Result(outcome=Outcome.SUCCEEDED, output={} if kept.fault else kept.output)
    if is_good:
        return Result(outcome=Outcome.FAILED, maybe=True, error=kept.fault)
    if status in TRY_LATER or status >= 500:
        return _refused(answer, Outcome.RETRYABLE, TRY_LATER.get(status, True))
    return _refused(answer, Outcome.FAILED, False)


def kept_headers(headers: httpx2.Headers) -> dict[str, JsonValue]:
    """Lower-cased name → value, repeated ones joined by a comma; credentials, and what is too long, are left out."""
    found: dict[str, JsonValue] = {}
    room = MOST_OF_HEADERS
    for name, value in headers.items():
        room -= len(name) + len(value)
        if room < 0:
            break
        if name not in CREDENTIALS and not name.startswith("proxy-") and len(value) <= MOST_OF_HEADER:
            found[name] = value
    return found


def called(method: str, url: str) -> str:
    """The method and the URL, for people: without secrets, credentials in its query masked."""
    return f"{method} {head(url_shown(url), LONGEST_URL)}"


def body_shown(answer: Answer) -> str:
    """The beginning of a body that an error has no room for; '' where the error has all of it."""
    if len(answer.body) <= QUOTED:
        return ""
    return excerpt(answer.body[: 4 * (MOST_OF_BODY + SLACK + 1)].decode(errors="replace"), MOST_OF_BODY)


def _called(answer: Answer) -> str:
    return called(answer.method, answer.shown)


def _said(answer: Answer) -> str:
    """The beginning of the body, for an error."""
    text = answer.body.decode(errors="replace")
    looked_at = text[: QUOTED + SLACK]
    return head(text_shown(looked_at), QUOTED, is_whole=answer.is_whole and len(looked_at) == len(text))


def _kept(answer: Answer) -> _Kept:
    if not answer.is_whole:
        return _Kept(fault=too_large(f"the answer ({answer.status})"))
    try:
        body, is_object = value_of(answer.body, answer.headers.get("content-type", ""))
    except NoNumber as error:
        return _Kept(fault=f"the answer to {_called(answer)} cannot be kept: {error}")
    return _Kept(body, body if is_object else {"body": body} if answer.body else {})


def _is_one_of(which: JsonValue, answer: Answer, kept: _Kept) -> bool:
    """Whether an answer is one that a status, a list of them or a condition means."""
    if which is None:
        return False
    if not isinstance(which, str):
        return is_expected(which, answer.status)
    body = None if len(answer.body) > conditions.MOST_BODY_BYTES else kept.body
    headers = {name: value for name, value in kept_headers(answer.headers).items() if isinstance(value, str)}
    return conditions.holds(which, status=answer.status, headers=headers, body=body)


def _refused(answer: Answer, outcome: Outcome, maybe: bool, *, why: str = "") -> Result:
    error = f"{_called(answer)} answered {answer.status}{why}: {_said(answer)}"
    after = retry_after(answer.headers) if outcome is Outcome.RETRYABLE else None
    return Result(outcome=outcome, maybe=maybe, error=error, retry_after=after)


def _not_yet(call: Call, answer: Answer) -> Result:
    """The next call is due in a while; none is when the step's time would be over by then."""
    every = call.action.get("every_seconds")
    pause = max(
        float(every) if isinstance(every, int | float) else EVERY_SECONDS,
        retry_after(answer.headers) or 0.0,
        call.timeout_seconds / MOST_POLLS,
    )
    acted = answer.method not in READING and answer.status < 400
    answered = f"{_called(answer)} answered {answer.status}"
    if call.polled_seconds + pause > call.timeout_seconds:
        error = f"{answered}, and `until` did not hold within the step's {call.timeout_seconds:g} s: {_said(answer)}"
        return Result(outcome=Outcome.FAILED, maybe=acted, error=error)
    error = f"{answered}, and `until` does not hold yet"
    return Result(outcome=Outcome.PARKED, maybe=acted, error=error, retry_after=pause)

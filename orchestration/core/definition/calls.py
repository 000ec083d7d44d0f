"""What is wrong with an api_call beyond its model: keys that nothing reads, headers and bodies that contradict."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from orchestration.core.definition.actions import ApiCall, Auth
from orchestration.core.definition.call_bodies import Fault, body_faults, header_of
from orchestration.core.definition.problems import Problem, did_you_mean, short
from orchestration.core.templates.tokens import tokens_of

OURS = {
    "content-length": "it is counted from the body; remove it",
    "host": "it is the host of the url; remove it",
    "transfer-encoding": "the body is sent with its length; remove it",
    "connection": "connections are kept by Zen itself; remove it",
    "keep-alive": "connections are kept by Zen itself; remove it",
    "proxy-connection": "no proxy is asked; remove it",
    "te": "it says what the connection takes; remove it",
    "trailer": "no trailers are sent; remove it",
    "upgrade": "the protocol of a connection is not changed; remove it",
}
"""Headers that the request gets by itself, or that are about the connection → what to do instead."""
OFTEN_MEANT = {
    "json": "use payload, which is sent as JSON",
    "data": "use form for a form, or body for a text",
    "params": "use query",
    "parameters": "use query",
    "files": "use multipart",
    "file": "use multipart, or body",
    "content": "use body",
    "timeout": "use timeout_seconds, beside forward_action, a key of the step",
    "timeout_seconds": "it is a key of the step: write it beside forward_action",
    "retries": "use retry_count, a key of the step",
    "retry_count": "it is a key of the step: write it beside forward_action",
    "verify": "certificates are always checked; remove it",
    "token": "use auth: {bearer: '{secret:NAME}'}",
    "username": "use auth: {basic: [user, '{secret:NAME}']}",
    "password": "use auth: {basic: [user, '{secret:NAME}']}",
    "cookies": "use headers: {Cookie: …}",
    "status": "use expected_status",
    "allow_redirects": "use follow_redirects",
    "poll": "use until",
    "interval": "use every_seconds",
}
"""Words of other HTTP clients → ours."""
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
MOST_POLLS = 10_000
EVERY_SECONDS = 5.0


def call_problems(action: Mapping[str, Any], *, step: str, field: str) -> Iterator[Problem]:
    """What is wrong with one api_call that stands at `field` of a step; it may be wrong in any other way."""
    for place, value, message, remedy in _faults(action, field):
        shown = "" if value is None else short(value)
        yield Problem(step=step, field=f"{field}.{place}".rstrip("."), value=shown, message=message, remedy=remedy)


def poll_problems(step: Mapping[str, Any], label: str, timeout_seconds: float) -> Iterator[Problem]:
    """A step whose `until` would repeat its call too often."""
    for field in ("forward_action", "compensation_action"):
        action = step.get(field)
        if not isinstance(action, Mapping) or action.get("type") != "api_call" or action.get("until") is None:
            continue
        every = action.get("every_seconds")
        pause = every if isinstance(every, int | float) and not isinstance(every, bool) and every > 0 else EVERY_SECONDS
        if timeout_seconds / pause > MOST_POLLS:
            yield Problem(
                step=label, field=f"{field}.every_seconds", value=short(pause),
                message=f"would be more than {MOST_POLLS} calls within the step's timeout of {timeout_seconds:g} s",
                remedy=f"ask every {timeout_seconds / MOST_POLLS:g} seconds or less often, or shorten the timeout",
            )  # fmt: skip


def _faults(action: Mapping[str, Any], field: str) -> Iterator[Fault]:
    yield from _unknown(action)
    yield from _headers(action)
    yield from body_faults(action)
    yield from _auth(action)
    yield from _polling(action, field)


def _unknown(action: Mapping[str, Any]) -> Iterator[Fault]:
    known = list(ApiCall.model_fields)
    for key in [key for key in action if key not in ApiCall.model_fields][:50]:
        often = OFTEN_MEANT.get(key.lower())
        yield key, action[key], "is not a known key", often or did_you_mean(key, known, "the keys here are")


def _headers(action: Mapping[str, Any]) -> Iterator[Fault]:
    headers = action.get("headers")
    seen: set[str] = set()
    for name, value in headers.items() if isinstance(headers, Mapping) else ():
        low, place = name.lower(), f"headers.{name[:100]}"
        if low in OURS:
            yield place, value, "is a header that an action cannot set", OURS[low]
        if low in seen:
            yield place, value, "is given twice, in other letters", "give it once; join several values with a comma"
        seen.add(low)
        if isinstance(value, str) and CONTROL.search(value):
            yield place, value, "holds a line break or another control character", "remove it"


def _auth(action: Mapping[str, Any]) -> Iterator[Fault]:
    auth = action.get("auth")
    if not isinstance(auth, Mapping):
        return
    if set(auth) <= set(Auth.model_fields) and (auth.get("basic") is None) == (auth.get("bearer") is None):
        yield (
            "auth",
            None,
            "needs either basic or bearer",
            "{basic: [user, '{secret:NAME}']} or {bearer: '{secret:NAME}'}",
        )
    basic = auth.get("basic")
    user = basic[0] if isinstance(basic, list) and basic else ""
    if isinstance(user, str) and any(":" in token.text for token in tokens_of(user) if not token.secret):
        yield "auth.basic[0]", user, "holds a colon, which ends the user's name", "remove the colon"
    if header_of(action, "authorization"):
        yield "headers.Authorization", None, "is given beside auth", "give one of the two"


def _polling(action: Mapping[str, Any], field: str) -> Iterator[Fault]:
    if action.get("every_seconds") is not None and action.get("until") is None:
        yield "every_seconds", action["every_seconds"], "is given without until", "give until, or remove it"
    if field == "probe_action":
        for key in ("until", "retry_on"):
            if action.get(key) is not None:
                yield key, action[key], "is not allowed in a probe, which asks once", "remove it, or use expect"
    elif action.get("expect") is not None:
        remedy = "use until, fail_on or the step's output_schema"
        yield "expect", action["expect"], "is a key of a probe_action", remedy

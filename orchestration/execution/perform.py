"""Perform one attempt: secrets put in, the action called, a probe where the outcome is unknown, secrets taken out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from pydantic import JsonValue

from foundation.secrets import store
from foundation.secrets.redaction import Broke, cleaned, head, redact
from orchestration.actions.base import Call, Result
from orchestration.actions.output import limited
from orchestration.actions.output_schema import mismatch
from orchestration.actions.request_shown import request_shown
from orchestration.core.enums import Outcome
from orchestration.execution.action_table import ACTIONS

PROBE_SECONDS = 10.0
NO_ANSWER = "the call was sent, its outcome is not known, and the probe gave no answer"
LONGEST_ERROR = 4000


UNASKED = "unasked"
"""Key of a parked result's `detail`: its probe could not ask. BEFORE: nothing was sent; AFTER: something had been."""
BEFORE, AFTER = "before", "after"


def perform(
    call: Call,
    *,
    probe: Mapping[str, JsonValue] | None = None,
    probe_route: str = "",
    probe_first: bool = False,
    probe_only: bool = False,
    output_schema: Mapping[str, JsonValue] | None = None,
) -> Result:
    """The outcome of an attempt (rule 4), without any secret.

    `probe`: the rendered probe action, `probe_route` its URL as its author wrote it. `probe_first`: an earlier worker
    may have sent this attempt already, so ask before sending it again. `probe_only`: an earlier attempt was sent and
    its probe could not ask: ask now, and send nothing. `output_schema`: JSON Schema for the output of a success.

    Raises:
        Broke: an action failed with an error whose message held a secret. Other faults of the machinery as they are.
    """
    try:
        result = limited(_settled(call, probe, probe_route, probe_first=probe_first, probe_only=probe_only))
        return _redacted(result if output_schema is None else _matched(result, output_schema))
    except Exception as error:  # one attempt's top: any error may hold a secret, and leaves here without it
        told = cleaned(error)
        if not told:
            raise
    raise Broke(told)  # out here, so that the error itself is not its context


def _settled(
    call: Call, probe: Mapping[str, JsonValue] | None, probe_route: str, *, probe_first: bool, probe_only: bool
) -> Result:
    if probe is not None and probe_only:
        return _probe(call, probe, probe_route) or Result(outcome=Outcome.UNKNOWN, maybe=True, error=NO_ANSWER)
    if probe is not None and probe_first:
        found = _probe(call, probe, probe_route, unasked=BEFORE)
        if found is not None and found.outcome in (Outcome.SUCCEEDED, Outcome.PARKED):
            return found
    result = _once(call)
    in_doubt = (result.maybe or result.outcome is Outcome.UNKNOWN) and result.outcome is not Outcome.PARKED
    if probe is not None and in_doubt:
        return _probe(call, probe, probe_route) or result
    return result


def _once(call: Call) -> Result:
    try:
        action = store.resolve_action(dict(call.action))
    except store.MissingSecret as error:
        return Result(outcome=Outcome.FAILED, error=str(error))
    result = ACTIONS[str(call.action["type"])](dataclasses.replace(call, action=action))
    return _with_request(result, call)


def _with_request(result: Result, call: Call) -> Result:
    """What was asked is kept with what came of it, as it was before its secrets were put in."""
    shown = None if result.outcome is Outcome.PARKED else request_shown(call.action, call.idempotency_key)
    return result if shown is None else dataclasses.replace(result, detail={**result.detail, "request": shown})


def _matched(result: Result, schema: Mapping[str, JsonValue]) -> Result:
    """An output that is not what was promised: the action was done all the same, so there is something to undo."""
    if result.outcome is not Outcome.SUCCEEDED or result.deferred:
        return result
    wrong = mismatch(schema, result.output, show=redact)
    return dataclasses.replace(result, outcome=Outcome.FAILED, maybe=True, error=wrong) if wrong else result


def _redacted(result: Result) -> Result:
    return dataclasses.replace(
        result,
        output=redact(result.output),
        error=head(result.error, LONGEST_ERROR),
        detail=redact(dict(result.detail)),
    )


def _probe(call: Call, probe: Mapping[str, JsonValue], route: str, *, unasked: str = AFTER) -> Result | None:
    """Succeeded: it is there. Retryable: it is not. Parked: to be asked later. None: no answer, the doubt stays."""
    expect = probe.get("expect")
    action = {key: value for key, value in probe.items() if key != "expect"}
    asked = dataclasses.replace(
        call, action=action, timeout_seconds=min(PROBE_SECONDS, call.timeout_seconds),
        idempotency_key=f"{call.idempotency_key}:probe", route=route,
    )  # fmt: skip
    answer = _once(asked)
    if answer.outcome is Outcome.PARKED:
        return dataclasses.replace(answer, maybe=True, detail={**answer.detail, UNASKED: unasked})
    detail: dict[str, JsonValue] = {**answer.detail, "probed": True}
    if answer.outcome is Outcome.SUCCEEDED:
        if not isinstance(expect, dict) or _meets(answer.output, expect):
            return dataclasses.replace(answer, detail=detail)
        return Result(outcome=Outcome.RETRYABLE, error="the probe says it was not done (expect)", detail=detail)
    if answer.detail.get("status") == 404:
        return Result(outcome=Outcome.RETRYABLE, error="the probe says it was not done (404)", detail=detail)
    return None


def _meets(output: JsonValue, expect: Mapping[str, JsonValue]) -> bool:
    """`expect` maps dotted paths of the probe's output to the values they must have."""
    return all(_at(output, path) == value for path, value in expect.items())


def _at(value: JsonValue, path: str) -> JsonValue:
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value

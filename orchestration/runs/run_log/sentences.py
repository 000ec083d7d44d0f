"""What happened to a run, in sentences, and how much it matters (levels of Python's logging)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from foundation.models import AuditEvent
from orchestration.core.enums import Outcome

ATTEMPT = frozenset({"attempt_ended", "machinery_failed", "handler_overdue", "possibly_repeated"})
"""What an event says of one attempt, after `step.` or `undo.`."""

ERRORS = frozenset({
    "step.failed", "step.unknown", "undo.compensation_failed", "run.needs_attention", "run.rollback_incomplete",
    "run.force_stopped", "step.machinery_failed", "undo.machinery_failed",
})  # fmt: skip
WARNINGS = frozenset({
    "run.held", "run.compensating", "run.rolled_back", "step.handler_overdue", "undo.handler_overdue",
    "step.possibly_repeated", "undo.possibly_repeated",
})  # fmt: skip
FINE = frozenset({"step.look_again"})
OUTCOMES = {
    Outcome.FAILED.value: logging.ERROR, Outcome.UNKNOWN.value: logging.ERROR, Outcome.RETRYABLE.value: logging.WARNING,
}  # fmt: skip


def level_of(kind: str, data: Mapping[str, Any]) -> int:
    """The level of an event."""
    if kind.endswith(".attempt_ended"):
        return OUTCOMES.get(str(data.get("outcome")), logging.INFO)
    if kind in ERRORS:
        return logging.ERROR
    if kind in WARNINGS:
        return logging.WARNING
    return logging.DEBUG if kind in FINE or kind.startswith("timer.") else logging.INFO


def of_event(
    kind: str, step_id: str, data: Mapping[str, Any], session: int | None = None, *, of_agent: bool = False
) -> str:
    """The sentence of an event. One of another flow's is said by its kind.

    `session`: of the agent that made the attempt. `of_agent`: the step is an agent's, so an attempt without one is no
    more than a look for a free endpoint, whose number says nothing.
    """
    about, _, word = kind.partition(".")
    words = word.replace("_", " ")
    if word in ATTEMPT:
        return _of_attempt(about, word, step_id, data, session, of_agent)
    match about:
        case "run":
            return "the run started" if word == "started" else f"the run is {words}{_because(data)}"
        case "step" if word == "look_again":
            return f"step '{step_id}' is looked at again"
        case "step":
            return f"step '{step_id}' is {words}"
        case "undo":
            return f"the undo of '{step_id}' is {words.removeprefix('compensation ')}"
        case "timer":
            return f"the timer '{words}'{_of(step_id)} is over"
        case "act":
            return f"{data.get('by') or 'somebody'} asked: {word}{_of(step_id)}{_note(data.get('note'))}"
    return f"{kind}{_of(step_id)}"


def of_audit(row: AuditEvent) -> str:
    """Who did what, by which door."""
    answer = f" with {row.data['answer']}" if row.data.get("answer") else ""
    what = f"{row.action}{_of(str(row.data.get('step_id') or ''))}{answer}"
    return f"{row.actor} did {what} by {row.door}{_note(row.note)}"


def _of_attempt(
    about: str, word: str, step_id: str, data: Mapping[str, Any], session: int | None, of_agent: bool
) -> str:
    what = f"the undo of '{step_id}'" if about == "undo" else f"'{step_id}'"
    attempt = f"attempt {data.get('attempt')} of {what}"
    if session or of_agent:
        attempt = f"session {session} of {what}" if session else f"an attempt at {what}"
    error = f": {data['error']}" if data.get("error") else ""
    match word:
        case "machinery_failed":
            return f"our machinery could not perform {attempt}{error}"
        case "handler_overdue":
            return f"{attempt} goes on after its time{error}"
        case "possibly_repeated":
            return (
                f"{attempt} was taken up by worker {data.get('tries')}; what the one before sent may have got through"
            )
    return f"{attempt} {_ended(str(data.get('outcome')))}{error}"


def _ended(outcome: str) -> str:
    match outcome:
        case Outcome.RETRYABLE:
            return "failed and may be repeated"
        case Outcome.UNKNOWN:
            return "ended and nobody knows whether it was done"
        case Outcome.PARKED:
            return "is put off"
        case Outcome.SKIPPED:
            return "was left out"
    return outcome


def _because(data: Mapping[str, Any]) -> str:
    cause = f" because of {data['cause']}" if data.get("cause") else ""
    return cause + _note(data.get("reason"))


def _of(step_id: str) -> str:
    return f" of '{step_id}'" if step_id else ""


def _note(text: object) -> str:
    return f": {text}" if text else ""

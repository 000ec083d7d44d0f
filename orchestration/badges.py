"""How each word of a run looks."""

from __future__ import annotations

from foundation.admin.badges import PLAIN, UNFOLD, Look
from orchestration.core.enums import Outcome, RunStatus, StepStatus, UndoStatus

LOOKS: dict[str, Look] = {
    RunStatus.PENDING: PLAIN,
    RunStatus.RUNNING: Look("busy", "play"),
    RunStatus.WAITING: Look("busy", "clock"),
    RunStatus.HELD: Look("warn", "pause"),
    RunStatus.COMPENSATING: Look("warn", "undo"),
    RunStatus.NEEDS_ATTENTION: Look("bad", "alert"),
    RunStatus.COMPLETED: Look("good", "tick"),
    RunStatus.ROLLED_BACK: Look("warn", "undo"),
    RunStatus.ROLLBACK_INCOMPLETE: Look("bad", "alert"),
    RunStatus.FORCE_STOPPED: Look("bad", "stop"),
    StepStatus.BACKING_OFF: Look("warn", "clock"),
    StepStatus.SUCCEEDED: Look("good", "tick"),
    StepStatus.FAILED: Look("bad", "cross"),
    StepStatus.UNKNOWN: Look("bad", "question"),
    StepStatus.SKIPPED: Look("calm", "dash"),
    UndoStatus.NOT_NEEDED: Look("calm", "dash"),
    UndoStatus.COMPENSATED: Look("warn", "undo"),
    UndoStatus.FAILED: Look("bad", "alert"),
    Outcome.RETRYABLE: Look("warn", "clock"),
    **{
        word: Look("good", "tick") for word in ("merged", "served", "proved", "approved", "done", "accepted", "decided")
    },
    **{word: Look("bad", "cross") for word in ("unserved", "unproved", "refused", "crashed", "lied", "auth")},
    **{word: Look("warn", "clock") for word in ("stalled", "rate_limited")},
    **{word: Look("warn", "question") for word in ("blocked", "denied", "empty", "over_budget")},
    "working": Look("busy", "play"),
    "reverted": Look("warn", "undo"),
    "dropped": Look("calm", "dash"),
}
LABELS = {str(word): UNFOLD[look.tone] for word, look in LOOKS.items() if look.tone in UNFOLD}
"""The same for unfold's labels, in lists."""

SPELT: dict[str, str] = {RunStatus.NEEDS_ATTENTION: "Needs attention"}
"""How pages write a word that is stored otherwise."""


def look(word: str) -> Look:
    return LOOKS.get(word, PLAIN)


def spelt(word: str) -> str:
    return SPELT.get(word, word)

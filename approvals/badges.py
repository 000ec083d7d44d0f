"""How each word of an approval looks: tone and icon, in the manner of orchestration's."""

from __future__ import annotations

from approvals.core.enums import Choice, Status
from foundation.admin.badges import PLAIN, UNFOLD, Look

LOOKS: dict[str, Look] = {
    Status.PENDING: Look("busy", "clock"),
    Status.CHANGES_REQUESTED: Look("warn", "undo"),
    Status.COOLING_OFF: Look("good", "clock"),
    Status.RESCUE: Look("bad", "alert"),
    Status.APPROVED: Look("good", "tick"),
    Status.REJECTED: Look("bad", "cross"),
    Status.EXPIRED: Look("warn", "clock"),
    Status.WITHDRAWN: Look("calm", "dash"),
    Status.CANCELLED: Look("calm", "stop"),
    Choice.APPROVE: Look("good", "tick"),
    Choice.REJECT: Look("bad", "cross"),
    Choice.REQUEST_CHANGES: Look("warn", "undo"),
    Choice.ABSTAIN: Look("calm", "dash"),
}
WORDS: dict[str, str] = {
    Status.RESCUE: "needs an administrator",
    Status.CHANGES_REQUESTED: "changes asked for",
    Choice.APPROVE: "approved",
    Choice.REJECT: "rejected",
    Choice.REQUEST_CHANGES: "asked for changes",
    Choice.ABSTAIN: "abstained",
}
LABELS = {str(word): UNFOLD[look.tone] for word, look in LOOKS.items() if look.tone in UNFOLD}


def look(word: str) -> Look:
    return LOOKS.get(word, PLAIN)


def in_words(word: str) -> str:
    return WORDS.get(word, word.replace("_", " ").replace("-", " "))

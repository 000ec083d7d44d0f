"""The closed vocabularies of an approval. One word per thing, used in code, rows, API and pages alike."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """`changes_requested`: waiting for the requester. `cooling_off`: decided, and can still be taken back.

    `rescue`: nobody who may decide is left, or the clock ran out with `hold`: an administrator must name somebody.
    """

    PENDING = "pending"
    CHANGES_REQUESTED = "changes_requested"
    COOLING_OFF = "cooling_off"
    RESCUE = "rescue"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"

    @property
    def is_end(self) -> bool:
        return self in ENDS

    @property
    def can_be_decided(self) -> bool:
        return self in (Status.PENDING, Status.RESCUE)


ENDS = frozenset({Status.APPROVED, Status.REJECTED, Status.EXPIRED, Status.WITHDRAWN, Status.CANCELLED})
OPEN = tuple(status for status in Status if status not in ENDS)


class Choice(StrEnum):
    """What one person says. An abstention counts as having spoken, and towards nothing."""

    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_CHANGES = "request-changes"
    ABSTAIN = "abstain"


class Mode(StrEnum):
    """How many of a stage must approve. `groups`: at least so many from each of several groups."""

    ANY = "any"
    ALL = "all"
    N = "n"
    PERCENT = "percent"
    GROUPS = "groups"


class Authority(StrEnum):
    """What an escalation does to who may decide: nothing, more people, or other people."""

    NOTIFY = "notify"
    ADD = "add"
    TRANSFER = "transfer"


class AtTheEnd(StrEnum):
    """What the end of a stage's clock means when nobody decided."""

    REJECT = "reject"
    APPROVE = "approve"
    HOLD = "hold"


class Telling(StrEnum):
    """Why people are told something."""

    ASKED = "asked"
    REMINDER = "reminder"
    ESCALATED = "escalated"
    CHANGES_REQUESTED = "changes_requested"
    RESCUE = "rescue"
    DECIDED = "decided"

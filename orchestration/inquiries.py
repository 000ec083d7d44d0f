"""The port by which a step asks people in the middle of its work (`orchestration.core.inquiry`).

A gate asks before a step acts, once, about all that it will do. An inquiry asks while it works: what an agent wants to
know, or what is to become of a task that failed. The step's attempt ends as parked meanwhile, so that the time that
people take counts neither against it nor against its retries; the end of the inquiry makes the engine perform the step
at once, and the attempt reads the reply. The setting ZEN_INQUIRIES names who asks; a system check holds it against
`InquiryService` at every start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from django.conf import settings
from pydantic import JsonValue

from foundation.ports import named
from orchestration.core.inquiry import InquiryField, Reply
from orchestration.models import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """What is asked. The same `key` of the same iteration of the same step is one question, asked once.

    `stage`: a word that chooses the policy where `policy` and `approvers` do not. `title` and `lead` are ours; `text`
    was written by an agent, and is shown as plain text. `context`: facts for those who decide. `for_agents`: it asks on
    behalf of an agent, so whoever started the run may answer; an agent's account and its owner never may.
    """

    run: Run
    step_id: str
    iteration: int
    attempt: int
    key: str
    stage: str
    title: str
    lead: str
    text: str = ""
    context: Mapping[str, JsonValue] = field(default_factory=dict)
    fields: tuple[InquiryField, ...] = ()
    asker: str = ""
    policy: str = ""
    approvers: tuple[str, ...] = ()
    timeout_seconds: float | None = None
    for_agents: bool = True


@runtime_checkable
class InquiryService(Protocol):
    """What asks people and knows what they said: `approvals.inquiries.INQUIRIES`, or what ZEN_INQUIRIES names."""

    def put(self, inquiry: Inquiry) -> Reply:
        """Ask, where it was not asked yet, and say how it stands. Safe to call again.

        Raises:
            Unreachable: it cannot be asked now; the attempt is repeated later.
            BadInput: it could never be asked, such as with a policy that nobody could pass.
        """

    def find(self, family: Run, key: str, step: tuple[Run, str, int] | None = None) -> Reply | None:
        """What was said to an inquiry of this key, in any run of the family of a run; None where it was not asked.

        `step`: only by this run, step and iteration.
        """


def inquiry_service() -> InquiryService:
    """The desk that ZEN_INQUIRIES names."""
    found: InquiryService = named(settings.ZEN_INQUIRIES)
    return found

"""What a yes, a no and silence lead to where a step asks in the middle of its work (`approvals.inquiries`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from approvals.models import Request
from orchestration.core.agent.asking import STAGES
from orchestration.core.agent.verdict import Asked
from orchestration.models import Run

INQUIRY = "inquiry"
"""The key of a request's facts that says so."""
TOLD: Mapping[str, tuple[str, str]] = {
    STAGES[Asked.PERMISSION]: ("The agent may do this", "The agent is told that it may not"),
    STAGES[Asked.QUESTION]: ("The agent is given the answer", "The agent is told that it gets no answer"),
}
"""By stage, what an agent hears on a yes and on a no. It goes on in its session with either."""


def asked_at_work(request: Request) -> bool:
    """Whether the request is a step's that has begun."""
    return INQUIRY in request.facts


def of_a_yes(request: Request, run: Run) -> list[str]:
    """Sentences for a yes."""
    step = f"step '{request.step_id}' of run {run}"
    if request.stage in TOLD:
        return [f"{TOLD[request.stage][0]}, and goes on with {step}."]
    return [f"What is chosen is done with {step}.", "To choose 'end' leads to the same as a no."]


def of_a_no(request: Request, run: Run, fails: Sequence[str]) -> list[str]:
    """Sentences for a no. `fails`: what it leads to when the step fails."""
    step = f"step '{request.step_id}' of run {run}"
    if request.stage in TOLD:
        return [f"{TOLD[request.stage][1]}, and goes on with {step}."]
    return [f"{step.capitalize()} fails.", *fails]


def of_silence(request: Request, run: Run, fails: Sequence[str], a_no: str) -> str:
    """What happens where nobody decides, and that counts as a no. `a_no`: how that is said of any request."""
    if request.stage not in TOLD:
        return a_no
    return " ".join((f"If nobody decides in time, step '{request.step_id}' of run {run} fails.", *fails))

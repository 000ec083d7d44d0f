"""What an act would make of a request, told by the flow itself, and the question before it is done."""

from __future__ import annotations

from dataclasses import dataclass

from approvals.core.approval.events import Event, Revoked
from approvals.core.simulation.simulate import Walk
from approvals.models import Request
from approvals.policies.principals import Person
from approvals.queries.requests import plan_of_request, state_of, used
from approvals.simulation.simulate import stand_ins_for
from approvals.simulation.text import what
from foundation.console import confirm as console
from foundation.console.text import visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """`refusal`: why it is not possible now; '' when it is."""

    lines: tuple[str, ...] = ()
    refusal: str = ""


def preview(request: Request, event: Event, *people: Person) -> Preview:
    """The consequences of an act. `people`: those who take part and may not be known to the request yet."""
    plan = plan_of_request(request)
    walk = Walk(plan, state=state_of(request), stand_ins=stand_ins_for(request.policy.name, event.at))
    refusal = (used(request) if isinstance(event, Revoked) else "") or walk.hear(event)
    names = {person: str(info.get("name", person)) for person, info in request.people.items()}
    names |= {person.id: person.name for person in people}
    lines = tuple(line for moment in walk.moments for line in what(plan, moment, names))
    return Preview(lines=lines or ("nothing changes",), refusal=refusal)


def confirm(what: str, shown: Preview, *, yes: bool) -> None:
    console.confirm(visible(what), map(visible, shown.lines), refusal=visible(shown.refusal), yes=yes)

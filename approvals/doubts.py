"""What is valid in a policy and will hardly be meant: clocks that never ring, names that nobody has yet."""

from __future__ import annotations

from collections.abc import Iterator

from approvals import calendars, people
from approvals.core.chain import names_in
from approvals.core.policy import PolicyDefinition, Stage
from approvals.core.spans import span_of
from approvals.core.words import AtTheEnd
from approvals.people import Found
from approvals.reaching import unreachable_among
from notifications.models import Channel
from orchestration.clock import now
from orchestration.errors import BadInput

CONTENT = ("context", "action", "description", "title")


def doubts_about(policy: PolicyDefinition) -> list[str]:
    """Each a sentence with its place; none of them keeps a policy from being published."""
    stages = [one for stage in policy.stages for one in _of_stage(stage)]
    return [*stages, *_of_people(policy), *calendars.unsure_of(policy, now())]


def _of_stage(stage: Stage) -> Iterator[str]:
    clocks = [("remind", text) for text in stage.remind] + [("escalate", level.after) for level in stage.escalate]
    for name, text in clocks:
        for end_name, end in (("expire", stage.expire), ("latest", stage.latest)):
            if end is not None and _is_never_before(text, end):
                yield f"stage '{stage.name}': {name} at {text} never comes, since {end_name} is {end}"
    there = set(Channel.objects.filter(name__in=stage.channels, personal=False).values_list("name", flat=True))
    for channel in stage.channels:
        if channel not in there:
            yield f"stage '{stage.name}': there is no channel '{channel}' yet; until there is, it is left out"
    for path in stage.editable:
        if path.partition(".")[0] not in CONTENT:
            yield f"stage '{stage.name}': editable '{path}' is nothing of a request's: {', '.join(CONTENT)}"


def _is_never_before(text: str | float, end: str | float) -> bool:
    """Of lengths of the same kind of time; how others compare depends on the day."""
    one, other = span_of(text), span_of(end)
    return one.business == other.business and one.seconds > other.seconds


def _of_people(policy: PolicyDefinition) -> Iterator[str]:
    try:
        yield from _of_silence(policy, people.find(policy))
    except BadInput as error:
        yield f"{error.message}; a request is refused until there is"
    except Exception as error:  # noqa: BLE001 - a look-up of who is on call is the site's own, and so are its errors
        yield f"who it comes to could not be looked up ({type(error).__name__}); a request is refused until it can be"


def _of_silence(policy: PolicyDefinition, whom: Found) -> Iterator[str]:
    """Where silence is a yes, it is one only of people who have heard."""
    for stage in policy.stages:
        if stage.at_the_end is not AtTheEnd.APPROVE:
            continue
        ids = {one for name in names_in(stage.who) for one in whom.named.get(name, ())}
        unheard = unreachable_among(whom.people[one] for one in ids if one in whom.people)
        if unheard:
            names = ", ".join(f"{whom.people[one].name} ({why})" for one, why in sorted(unheard.items()))
            yield f"stage '{stage.name}': the silence of whom no message reaches is no yes: {names}"

"""Turns what the flow wants people to be told into notices: rows only, in the decision's transaction."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.db.models import Q

from approvals.core.approval.outcome import Tell
from approvals.core.approval.state import State
from approvals.core.enums import Telling
from approvals.models import Remark, Request
from approvals.models.request import subject_of
from approvals.requests.messages.addressees import accounts, administrators, channels_of, deciders, requester_of
from approvals.requests.messages.links import page_of
from approvals.requests.messages.texts import LONGEST_EXTRACT, buttons_for, message_of
from foundation.clock import now
from foundation.errors import ZenError
from notifications.message import Button, Message, Person
from notifications.services import notify, reachable, supersede

log = logging.getLogger(__name__)

ALWAYS = (Telling.DECIDED, Telling.RESCUE)
"""However often the person was told of the request before: its end, and that it goes on with an administrator alone."""


def notify_people(request: Request, state: State, command: Tell, *, until: datetime | None = None) -> None:
    """Store the notices of one `Tell`. `until`: by when people asked now must have been reached (aware), or None."""
    if command.why is Telling.DECIDED:
        _settle(request, state)
        _send(request, state, command.why, requester_of(request))
    elif command.why is Telling.CHANGES_REQUESTED:
        _send(request, state, command.why, requester_of(request))
    elif command.why is Telling.RESCUE and command.together:
        request.rescue_to_tell = now()
        request.save(update_fields=["rescue_to_tell"])
    elif command.why is Telling.RESCUE:
        tell_rescue(request, state)
    else:
        _ask(request, state, command, until)


def told_in(dedupe: str) -> int | None:
    """The version of the request that a notice told of; None for a notice of another kind."""
    version = dedupe.split(":")[2:3]
    return int(version[0]) - 1 if version and version[0].isdecimal() else None


def tell_rescue(request: Request, state: State) -> None:
    """Tell administrators that a request cannot go on without them."""
    _send(request, state, Telling.RESCUE, administrators(), channels=channels_of(request, state))


def _ask(request: Request, state: State, command: Tell, until: datetime | None) -> None:
    """People without a seat, such as those an escalation only tells, get no buttons: they could not decide."""
    sitting = {seat.person for seat in state.seats}
    seated = tuple(person for person in command.people if person in sitting)
    others = tuple(person for person in command.people if person not in sitting)
    _send(
        request, state, command.why, deciders(request, state, seated), channels=channels_of(request, state),
        asked=seated, buttons=buttons_for(request), until=until,
    )  # fmt: skip
    if others:
        _send(request, state, command.why, deciders(request, state, others), asked=others, until=until)


def tell_remark(said: Remark) -> None:
    """A question and a comment go to the person who asked; an answer goes to those who had questions."""
    request = said.request
    if said.kind == "answer":
        asked = request.remarks.filter(kind="question").values_list("person", flat=True)
        ids = [person.removeprefix("user:") for person in asked if person.startswith("user:")]
        people = accounts(Q(pk__in=ids))
    else:
        people = requester_of(request)
    if people:
        notify(
            subject=subject_of(request),
            kind=f"approval.{said.kind}",
            message=Message(
                title=f"{said.kind.capitalize()} from {said.name}: {request.title}"[:300],
                text=said.text[:LONGEST_EXTRACT], url=page_of(request),
            ),
            people=people,
            dedupe=f"{subject_of(request)}:remark:{said.pk}",
        )  # fmt: skip


def _send(
    request: Request,
    state: State,
    why: Telling,
    people: Iterable[Person],
    *,
    channels: tuple[str, ...] = (),
    asked: tuple[str, ...] = (),
    buttons: tuple[Button, ...] = (),
    until: datetime | None = None,
) -> None:
    """Store a notice. A person who cannot be reached is left out, and does not keep the request from going on.

    Once for each version of the request and set of people: one event can ask several levels of an escalation.
    """
    found = list({person.key: person for person in people}.values())
    give = partial(
        notify,
        subject=subject_of(request),
        kind=f"approval.{why}",
        message=message_of(request, state, why, buttons),
        channels=channels,
        dedupe=f"{subject_of(request)}:{state.version + 1}:{why}:{_digest(asked)}",
        urgent=why in (Telling.ESCALATED, Telling.RESCUE),
        capped=why not in ALWAYS,
        until=until,
    )
    try:
        if found or channels:
            give(people=found)
    except ZenError as refused:
        if refused.field != "people":
            raise
        log.warning("approval %s: %s, and is left out of what people are told", request, refused)
        left = reachable(found)
        if left or channels:
            give(people=left)


def _digest(people: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(people).encode()).hexdigest()[:16]


def _settle(request: Request, state: State) -> None:
    """Each end by itself: a yes that was given in another round reads the same."""
    supersede(
        subject=subject_of(request), message=message_of(request, state, Telling.DECIDED), dedupe=str(state.version)
    )

"""What the flow wants people to be told, handed to the notifications room: rows only, in the decision's transaction."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q

from approvals.core.codec import PLAN
from approvals.core.commands import Tell
from approvals.core.policy import PolicyDefinition
from approvals.core.reached import SAYS_YES, silence_is_yes
from approvals.core.state import State
from approvals.core.words import Choice, Telling
from approvals.links import link_for, page_of
from approvals.models import Remark, Request
from approvals.standing_in import standing_in
from approvals.times import time_in
from approvals.told import LONGEST_EXTRACT, tells_all
from notifications.errors import NoticeError
from notifications.message import Button, Message, Person
from notifications.models import Channel
from notifications.services import reachable, settle, tell
from orchestration import roles
from orchestration.clock import now

log = logging.getLogger(__name__)

MOST_TOLD = 20
ON_ITS_PAGE = "This is not all that is asked: a yes is given on its page."
HEADS = {
    Telling.ASKED: "Approval needed",
    Telling.REMINDER: "Reminder: approval needed",
    Telling.ESCALATED: "Escalated: approval needed",
    Telling.CHANGES_REQUESTED: "Changes requested",
    Telling.RESCUE: "An approval needs an administrator",
}
ALWAYS = (Telling.DECIDED, Telling.RESCUE)
"""However often the person was told of the request before: its end, and that it goes on with an administrator alone."""


def subject_of(request: Request) -> str:
    return f"approval:{request.pk}"


def tell_all(request: Request, state: State, command: Tell, *, until: datetime | None = None) -> None:
    """`until`: by when whoever is asked now has to have heard of it."""
    if command.why is Telling.DECIDED:
        _settle(request, state)
        _send(request, state, command.why, _requester(request))
    elif command.why is Telling.CHANGES_REQUESTED:
        _send(request, state, command.why, _requester(request))
    elif command.why is Telling.RESCUE and command.together:
        request.rescue_to_tell = now()
        request.save(update_fields=["rescue_to_tell"])
    elif command.why is Telling.RESCUE:
        tell_rescue(request, state)
    else:
        _ask(request, state, command, until)


def told_in(dedupe: str) -> int | None:
    """The version of the request that a notice told of; None for one that is none of `_send`."""
    version = dedupe.split(":")[2:3]
    return int(version[0]) - 1 if version and version[0].isdecimal() else None


def tell_rescue(request: Request, state: State) -> None:
    _send(request, state, Telling.RESCUE, administrators(), channels=channels_of(request, state))


def administrators() -> list[Person]:
    return _accounts(Q(groups__name=roles.ADMINISTRATOR) | Q(is_superuser=True))


def _ask(request: Request, state: State, command: Tell, until: datetime | None) -> None:
    """Who has no seat, such as whoever an escalation only tells, gets no buttons: they could not decide by them."""
    sitting = {seat.person for seat in state.seats}
    seated = tuple(person for person in command.people if person in sitting)
    others = tuple(person for person in command.people if person not in sitting)
    _send(
        request, state, command.why, _deciders(request, state, seated), channels=channels_of(request, state),
        asked=seated, buttons=_buttons(request), until=until,
    )  # fmt: skip
    if others:
        _send(request, state, command.why, _deciders(request, state, others), asked=others, until=until)


def tell_remark(said: Remark) -> None:
    """A question and a comment go to whoever asked; an answer to those who had questions."""
    request = said.request
    if said.kind == "answer":
        asked = request.remarks.filter(kind="question").values_list("person", flat=True)
        ids = [person.removeprefix("user:") for person in asked if person.startswith("user:")]
        people = _accounts(Q(pk__in=ids))
    else:
        people = _requester(request)
    if people:
        tell(
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
    """Who cannot be told is left out: a person whom nobody reaches must not keep the request from going on.

    Once for each version of the request and for whom it is: one event can ask several levels of an escalation.
    """
    found = list({person.key: person for person in people}.values())
    give = partial(
        tell,
        subject=subject_of(request),
        kind=f"approval.{why}",
        message=_message(request, state, why, buttons),
        channels=channels,
        dedupe=f"{subject_of(request)}:{state.version + 1}:{why}:{_digest(asked)}",
        urgent=why in (Telling.ESCALATED, Telling.RESCUE),
        capped=why not in ALWAYS,
        until=until,
    )
    try:
        if found or channels:
            give(people=found)
    except NoticeError as refused:
        if refused.field != "people":
            raise
        log.warning("approval %s: %s, and is left out of what people are told", request, refused)
        left = reachable(found)
        if left or channels:
            give(people=left)


def _digest(people: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(people).encode()).hexdigest()[:16]


def _message(request: Request, state: State, why: Telling, buttons: tuple[Button, ...] = ()) -> Message:
    head = HEADS.get(why) or f"{request.status.replace('_', ' ').capitalize()}"
    text = _text(request, state)
    if buttons and not tells_all(request):
        text = f"{text}\n{ON_ITS_PAGE}"
    return Message(title=f"{head}: {request.title}"[:300], text=text, url=page_of(request), buttons=buttons)


def _text(request: Request, state: State) -> str:
    """No more than what is asked: the context stays on the page, behind the login."""
    lines = [str(request.content.get("description") or request.title)[:LONGEST_EXTRACT], ""]
    about = f" for `{request.about}`" if request.about else ""
    lines.append(f"Asked by {request.requester}{about}, stage *{request.stage}*.")
    if request.edits:
        lines.append("Whoever approved it before has changed something in it: see its page.")
    if request.status not in ("pending", "rescue"):
        by = f" by {request.decided_by}" if request.decided_by else ""
        lines.append(f"It is **{request.status.replace('_', ' ')}**{by}.")
        lines += _silence(request, state)
    elif request.expires_at:
        silence = f" {SAYS_YES}" if silence_is_yes(PLAN.validate_python(request.plan), state) else ""
        lines.append(f"Until {time_in(request, request.expires_at)}.{silence}")
    return "\n".join(lines)


def _silence(request: Request, state: State) -> Iterator[str]:
    """Whose silence it was: who was told of each stage that nobody decided, and when."""
    stages = PolicyDefinition.model_validate(request.policy.body).stages if state.silent else ()
    for number in state.silent:
        told = [one for one in state.heard if one.stage == number]
        names = [
            f"{request.people.get(one.person, {}).get('name', one.person)} ({time_in(request, one.at)})"
            for one in told[:MOST_TOLD]
        ]
        more = f" and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
        yield f"Stage *{stages[number].name}* passed by silence. Told of it: {', '.join(names) or 'nobody else'}{more}."


def _buttons(request: Request) -> tuple[Button, ...]:
    """For Slack. Whoever presses one is looked up and judged; the value only says what is meant.

    None for a yes where the message does not show all that it would be to.
    """
    yes = Button(label="Approve", value=button_of(request, Choice.APPROVE), style="primary")
    no = Button(label="Reject", value=button_of(request, Choice.REJECT), style="danger")
    return (yes, no) if tells_all(request) else (no,)


def button_of(request: Request, word: str) -> str:
    """What a button for this word says: on which request, in which round, and to what as it was shown."""
    return f"{request.request_id}|{request.round}|{request.shown_hash[:16]}|{word}"


def _settle(request: Request, state: State) -> None:
    """Each end by itself: a yes that was given in another round reads the same."""
    settle(subject=subject_of(request), message=_message(request, state, Telling.DECIDED), dedupe=str(state.version))


def _deciders(request: Request, state: State, ids: Iterable[str]) -> list[Person]:
    """Whoever is asked, and whoever decides for those of them who are away."""
    found = [_person(request, one, stage=state.stage) for one in ids]
    owners = [one.user_id for one in found if one.user_id is not None]
    return found + [_of_account(rule.to) for rule in standing_in(owners, request, state, at=now())]


def _person(request: Request, person: str, *, stage: int) -> Person:
    """An account is written to at the address that it has now."""
    known = _known(request, person)
    user_id, name = known.get("user_id"), known.get("name", person)
    if user_id is None:
        url = link_for(request, person, stage=stage)
        return Person(user_id=None, name=name, email=known.get("email", ""), url=url, id=person)
    return Person(user_id=user_id, name=name, id=person)


def _known(request: Request, person: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = request.people.get(person, {})
    return found


def _of_account(user: Any) -> Person:
    return Person(user_id=user.pk, name=user.get_username(), email=user.email)


def _requester(request: Request) -> list[Person]:
    """Nobody where it was asked without an account, such as by a program: its name may be somebody's by now."""
    kind, _, pk = request.requester_person.partition(":")
    return _accounts(Q(pk=pk)) if kind == "user" else []


def _accounts(which: Q) -> list[Person]:
    users = get_user_model().objects.filter(which, is_active=True).distinct()[:100]
    return [_of_account(user) for user in users]


def channels_of(request: Request, state: State) -> tuple[str, ...]:
    """Those of the open stage that are set up; one that was taken away since stops no decision."""
    stages = PolicyDefinition.model_validate(request.policy.body).stages
    wanted = stages[state.stage].channels
    there = set(Channel.objects.filter(name__in=wanted, personal=False).values_list("name", flat=True))
    return tuple(name for name in wanted if name in there)

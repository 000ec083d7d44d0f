"""Which channels reach a person, in which order, and with which address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model

from foundation.errors import BadInput
from foundation.identity.names import is_address
from notifications.message import Person, checked_url
from notifications.models import Channel, Contact

PEOPLE = "email://people"
"""The channel that is there without being made: each person's e-mail address."""

MUTED = "the person has muted what is not urgent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A channel, and the person's address in it."""

    channel: int
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A person with their contact, if any, and the routes to them: the first is to be tried first."""

    person: Person
    contact: Contact | None
    routes: list[Route]


def reached(people: Sequence[Person]) -> list[Reached]:
    """Each person once, but for closed accounts, which hear nothing. Raises BadInput for one who does not exist."""
    once = {person.key: person for person in map(_checked, people)}
    ids = [person.user_id for person in once.values() if person.user_id is not None]
    users = get_user_model().objects.in_bulk(ids)
    if missing := [str(user_id) for user_id in ids if user_id not in users]:
        shown = ", ".join(missing)
        raise BadInput(f"there is no user {shown}", field="people", value=shown, remedy="name users that exist")
    return _routes(once.values(), users, _personal() if once else [])


def unreachable(people: Sequence[Person]) -> dict[str, str]:
    """Whom nothing that is not urgent would reach now, by key, and why. Stores nothing."""
    there = reachable(people)
    users = get_user_model().objects.in_bulk([one.user_id for one in there if one.user_id is not None])
    found = {one.key: "no channel reaches this person" for one in people}
    channels = _made()
    if not any(channel.kind == Channel.EMAIL for channel in channels):
        channels.append(Channel(name=PEOPLE, kind=Channel.EMAIL, personal=True))
    for one in _routes(list({one.key: one for one in there}.values()), users, _enabled(channels)):
        if one.routes:
            del found[one.person.key]
        if one.routes and one.contact is not None and one.contact.muted:
            found[one.person.key] = MUTED
    return found


def _routes(people: Iterable[Person], users: Mapping[int, Any], channels: list[Channel]) -> list[Reached]:
    """`people`: each once."""
    once = list(people)
    ids = [person.user_id for person in once if person.user_id is not None]
    contacts = {contact.user_id: contact for contact in Contact.objects.filter(user_id__in=ids)}
    return [
        _reached(person, users.get(person.user_id), contacts.get(person.user_id), channels)  # type: ignore[arg-type]
        for person in once
        if person.user_id is None or users[person.user_id].is_active
    ]


def reachable(people: Sequence[Person]) -> list[Person]:
    """Those of `people` whom `reached` accepts: not those without an address, or whose account is gone."""
    ids = [person.user_id for person in people if person.user_id is not None]
    there = set(get_user_model().objects.filter(pk__in=ids).values_list("pk", flat=True))
    return [one for one in people if (is_address(one.email) if one.user_id is None else one.user_id in there)]


def of_account(user: Any) -> Person:
    """The account `user` as somebody who is told, by its own contacts."""
    return Person(user_id=user.pk, name=user.get_username(), email=user.email)


def existing_channels(names: Iterable[str]) -> list[str]:
    """Those of `names` that are channels of the site, once each, in the given order."""
    wanted = list(dict.fromkeys(names))
    there = set(Channel.objects.filter(name__in=wanted, personal=False).values_list("name", flat=True))
    return [name for name in wanted if name in there]


def _checked(person: Person) -> Person:
    checked_url(person.url)
    if person.user_id is None and not is_address(person.email):
        remedy = "give a user_id, or an e-mail address such as ada@company.com"
        shown = person.email[:100]
        raise BadInput(f"{shown!r} cannot be reached", field="people", value=shown, remedy=remedy)
    return person


def _personal() -> list[Channel]:
    channels = _made()
    if not any(channel.kind == Channel.EMAIL for channel in channels):
        made, _ = Channel.objects.get_or_create(name=PEOPLE, defaults={"kind": Channel.EMAIL, "personal": True})
        channels += [made] if made.personal else []
    return _enabled(channels)


def _made() -> list[Channel]:
    return list(Channel.objects.filter(personal=True))


def _enabled(channels: Iterable[Channel]) -> list[Channel]:
    """The channels that are enabled, e-mail first, since every account can have an address."""
    enabled = (channel for channel in channels if channel.enabled)
    return sorted(enabled, key=lambda channel: (channel.kind != Channel.EMAIL, channel.name))


def _reached(person: Person, user: Any, contact: Contact | None, channels: list[Channel]) -> Reached:
    if contact is not None and contact.channels:
        by_name = {channel.name: channel for channel in channels}
        channels = [by_name[name] for name in dict.fromkeys(contact.channels) if name in by_name]
    found = ((channel, _address(channel, person, user, contact)) for channel in channels)
    routes = [Route(channel=channel.pk, address=address) for channel, address in found if address]
    return Reached(person=person, contact=contact, routes=routes)


def _address(channel: Channel, person: Person, user: Any, contact: Contact | None) -> str:
    match channel.kind:
        case Channel.EMAIL:
            return (contact.email if contact else "") or person.email or getattr(user, "email", "")
        case Channel.SLACK:
            return contact.slack_id if contact else ""
        case Channel.APPRISE:
            return contact.phone if contact else ""
    return ""

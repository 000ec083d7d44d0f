"""What happens to a request, in the past tense. Time comes in with each: `at` is an aware UTC datetime."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from approvals.core.enums import Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """`by_rule`: the policy's own rule approves it; empty where people have to."""

    at: datetime
    by_rule: str = ""
    kind: Literal["opened"] = "opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voted:
    at: datetime
    person: str
    choice: Choice
    kind: Literal["voted"] = "voted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReached:
    """It is `at`: whatever was due by then happens, in its order."""

    at: datetime
    kind: Literal["clock_reached"] = "clock_reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A person who was asked has been reached; `person` is empty where it was a channel.

    `of`: the version of the request that the message told of; None where that is not known.
    """

    at: datetime
    person: str = ""
    of: int | None = None
    kind: Literal["delivered"] = "delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """From `since` to `until` nothing could happen: no clock was kept, and nothing was sent.

    `last`: people are told of the new deadline; of several in one moment the last one is.
    """

    at: datetime
    since: datetime
    until: datetime
    last: bool = True
    kind: Literal["resumed"] = "resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded:
    """A person asked for reminders of those who have not decided yet."""

    at: datetime
    by: str = ""
    kind: Literal["reminded"] = "reminded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegated:
    """`person` gives their seat to `to`, or an operator does it for them (`by`)."""

    at: datetime
    person: str
    to: str
    by: str = ""
    kind: Literal["delegated"] = "delegated"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleLeft:
    """They may not decide any more: an account that was closed, a group that was left.

    `grace_seconds`: where too few stay, others are asked only after so long, since people may come back.
    """

    at: datetime
    people: frozenset[str]
    grace_seconds: float = 0.0
    kind: Literal["people_left"] = "people_left"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleBack:
    """They may decide again, within the stage in which they had left."""

    at: datetime
    people: frozenset[str]
    kind: Literal["people_back"] = "people_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleNamed:
    """An administrator gives the open stage other people."""

    at: datetime
    people: frozenset[str]
    by: str = ""
    kind: Literal["people_named"] = "people_named"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentChanged:
    """The content has changed: all votes begin anew, also after an approval that was not used.

    `same`: the content is the same, and what it refers to has been changed elsewhere.
    """

    at: datetime
    by: str = ""
    same: bool = False
    kind: Literal["content_changed"] = "content_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    at: datetime
    by: str = ""
    kind: Literal["withdrawn"] = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """A yes is taken back before it was used."""

    at: datetime
    by: str = ""
    kind: Literal["revoked"] = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The run that waited does not want the answer any more."""

    at: datetime
    why: str = ""
    kind: Literal["cancelled"] = "cancelled"


Event = Annotated[
    Opened
    | Voted
    | ClockReached
    | Delivered
    | Resumed
    | Reminded
    | Delegated
    | PeopleLeft
    | PeopleBack
    | PeopleNamed
    | ContentChanged
    | Withdrawn
    | Revoked
    | Cancelled,
    Field(discriminator="kind"),
]


EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""To JSON and back."""

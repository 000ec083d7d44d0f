"""What is typed at the console: options that several commands have, and words read into values.

Raises BadInput that names the option.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from approvals.policies.documents import load_text
from approvals.policies.principals import Person, account_of, person_of
from foundation.errors import BadInput
from foundation.identity import permissions
from foundation.identity.actor import Actor
from foundation.identity.names import mailbox

DOOR = "console"


def account(name: str, field: str) -> Any:
    """By user name, or by an address that one account has."""
    found = account_of(name)
    if found is None:
        raise BadInput(f"--{field} '{name}': there is no such user", field=field, remedy="use the account's user name")
    return found


def acting_as(user: Any) -> Actor:
    return permissions.actor_for(user, door=DOOR)


def somebody(name: str, field: str) -> Person:
    """An account, or an address that needs none."""
    if "@" in name and account_of(name) is None:
        return Person(id=f"email:{mailbox(name)}", name=name, email=name)
    return person_of(account(name, field))


def moment(text: str, field: str) -> datetime:
    """A time with its offset, in UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        example = "such as 2026-11-25T09:30:00+01:00 or 2026-11-25T08:30:00Z"
        raise BadInput(f"--{field} '{text}' is not a time with its offset", field=field, remedy=example)
    return found.astimezone(UTC)


def day_or_moment(text: str, field: str) -> datetime:
    """A date is its first moment in UTC."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return moment(text, field)


def read_file(file: str, field: str = "file") -> object:
    """The JSON value in a YAML or JSON file."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise BadInput(f"{file} cannot be read: {reason}", field=field, remedy="give a YAML or JSON file") from None
    return load_text(text, name=file)


def mapping(value: object, name: str, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadInput(f"{name} does not hold a mapping", field=field, remedy="give keys with their values")
    return value


RequestId = Annotated[str, typer.Argument(help="the request's handle")]
Answers = Annotated[list[str] | None, typer.Option("--answer", help="NAME=VALUE, to the stage's form")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON and nothing else")]
AsUser = Annotated[str, typer.Option("--as", help="the account in whose name it is done")]
Comment = Annotated[str, typer.Option(help="kept with the decision")]
Edits = Annotated[list[str] | None, typer.Option("--edit", help="PATH=VALUE, laid over what is shown, with a yes")]
Note = Annotated[str, typer.Option(help="why; kept in the audit")]
Seen = Annotated[str, typer.Option(help="the content_hash that was looked at; with --yes, round 2 needs it")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]

"""What is typed at the console, read into values. Raises BadInput that names the option."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from approvals.people import Person, account_of, person_of
from notifications.addresses import mailbox
from orchestration import roles
from orchestration.audit import Actor
from orchestration.definitions_io import load_text
from orchestration.errors import BadInput

DOOR = "console"


def account(name: str, field: str) -> Any:
    """By user name, or by an address that one account has."""
    found = account_of(name)
    if found is None:
        raise BadInput(f"--{field} '{name}': there is no such user", field=field, remedy="use the account's user name")
    return found


def acting_as(user: Any) -> Actor:
    return roles.actor_for(user, door=DOOR)


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

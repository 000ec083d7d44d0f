"""Accounts by a name or a mailbox, as `foundation.identity.names` compares them.

The database only narrows the search, in a way that no locale changes: rows in ASCII alone can be compared there; all
others, of which there are few, are compared here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import F, Func, IntegerField, Q
from django.db.models.functions import Length, Lower

from foundation.identity.names import IGNORES_DOTS, folded, mailbox


def called(names: Iterable[str]) -> list[Any]:
    """The accounts with these user names, or with the mailbox of a name that is an address.

    In the order of their ids.
    """
    wanted = {folded(name) for name in names if name}
    if not wanted:
        return []
    found = get_user_model().objects.alias(**_plain("username")).filter(Q(plain__in=wanted) | _not_ascii())
    named = {user.pk: user for user in found if folded(user.get_username()) in wanted}
    boxes = {mailbox(name) for name in names if "@" in name}
    named |= {user.pk: user for user in reading(boxes)}
    return [named[pk] for pk in sorted(named)]


def reading(boxes: Iterable[str], among: Any = None) -> list[Any]:
    """The accounts whose address has one of these mailboxes, in the order of their ids.

    `among`: the accounts to look at.
    """
    wanted = set(boxes)
    if not wanted:
        return []
    users = get_user_model().objects.all() if among is None else among
    near = _not_ascii() | Q(email__startswith='"')
    for box in wanted:
        near |= _near(box)
    found = users.alias(**_plain("email")).filter(near).order_by("pk")
    return [user for user in found if user.email and mailbox(user.email) in wanted]


def _near(box: str) -> Q:
    """Rows in ASCII that may have this mailbox, and some that have not."""
    local, _, domain = box.rpartition("@")
    if domain in IGNORES_DOTS.values():
        ends = [name for name, one in IGNORES_DOTS.items() if one == domain]
        return Q(plain__startswith=local[:1]) & Q(*(Q(plain__endswith=f"@{end}") for end in ends), _connector=Q.OR)
    return Q(plain=box) | Q(plain__startswith=f"{local}@") | Q(plain__startswith=f"{local}+")


def _plain(field: str) -> dict[str, Any]:
    """`plain`: the column in the lower case of ASCII; `octets` and `letters`: how long it is."""
    return {"plain": _AsciiLower(F(field)), "octets": _Octets(F(field)), "letters": Length(field)}


def _not_ascii() -> Q:
    return ~Q(octets=F("letters"))


class _AsciiLower(Lower):
    """PostgreSQL's own follows the database's locale; in Turkish, for one, I is no i."""

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return super().as_sql(compiler, connection, template='LOWER(%(expressions)s COLLATE "C")', **more)


class _Octets(Func):
    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return super().as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **more)

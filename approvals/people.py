"""Who a policy means: accounts and addresses, as they are when a request is opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.module_loading import import_string

from approvals.core.chain import names_in
from approvals.core.policy import PolicyDefinition
from orchestration import roles
from orchestration.errors import BadInput

MAY_DECIDE = roles.MAY["approval.decide"]
LONGEST_ADDRESS = 254


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """`id`: user:7, or email:eve@example.com for somebody without an account, whatever tag their address has."""

    id: str
    name: str
    email: str = ""
    user_id: int | None = None

    def plain(self) -> dict[str, Any]:
        return {"name": self.name, "email": self.email, "user_id": self.user_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`people`: by person id. `named`: person ids by what the policy names. `left_out`: who may not decide, and why."""

    people: dict[str, Person]
    named: dict[str, frozenset[str]]
    left_out: tuple[str, ...]


def person_of(user: Any) -> Person:
    name = user.get_full_name() or user.get_username()
    return Person(id=f"user:{user.pk}", name=name, email=user.email, user_id=user.pk)


def find(policy: PolicyDefinition) -> Found:
    """Everybody whom the policy names. Raises BadInput for a user, group or look-up that does not exist, and for
    what is no address.
    """
    people: dict[str, Person] = {}
    named: dict[str, frozenset[str]] = {}
    left_out: dict[str, None] = {}
    names = dict.fromkeys(name for who in policy.everybody() for name in names_in(who))
    by_name = _by_name(name.partition(":")[2] for name in names if name.startswith("user:"))
    for name in names:
        kind, _, value = name.partition(":")
        here = _of_email(value, left_out) if kind == "email" else _of_users(_users(kind, value, by_name), left_out)
        people |= {person.id: person for person in here}
        named[name] = frozenset(person.id for person in here)
    return Found(people=people, named=named, left_out=tuple(left_out))


def check_addresses(policy: PolicyDefinition) -> None:
    """Raises BadInput for what is no address; who decides may come later, and an address does not get better."""
    for address in {address for who in policy.everybody() for address in who.emails}:
        _of_email(address, {})


def ids_of(names: Iterable[str]) -> frozenset[str]:
    """The person ids of user names and of addresses, whether or not there is an account.

    Accounts with one address are one person, and so is the address itself, with a tag or without.
    """
    wanted = {name.lower() for name in names if name}
    lowered = get_user_model().objects.annotate(handle=Lower("username"), address=Lower("email"))
    named = lowered.filter(Q(handle__in=wanted) | Q(address__in=wanted))
    addresses = {user.email.lower() for user in named if user.email} | {name for name in wanted if "@" in name}
    plain = {untagged(address) for address in addresses}
    alike = get_user_model().objects.filter(_has_one_of(plain))
    return frozenset({person_of(user).id for user in (*named, *alike)} | {f"email:{one}" for one in addresses | plain})


def untagged(address: str) -> str:
    """ada@example.com for Ada+zen@example.com: whoever has the one has the other."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def _has_one_of(plain: Iterable[str]) -> Q:
    """Accounts with one of these addresses, whatever tag is in it."""
    found = Q(pk__in=[])
    for address in plain:
        local, _, domain = address.rpartition("@")
        found |= Q(email__iexact=address) | Q(email__istartswith=f"{local}+", email__iendswith=f"@{domain}")
    return found


def who_may_decide(user_ids: Iterable[int]) -> frozenset[int]:
    """Of these accounts, those that are open and in a role that decides."""
    return frozenset(user.pk for user in accounts().filter(pk__in=list(user_ids)) if may_decide(user))


def accounts() -> Any:
    """Accounts with their groups: two queries, however many there are."""
    return get_user_model().objects.prefetch_related("groups")


def may_decide(user: Any) -> bool:
    """Whether the account is open and in a role that decides."""
    return bool(roles.roles_of(user) & MAY_DECIDE)


def _of_users(users: Iterable[Any], left_out: dict[str, None]) -> list[Person]:
    found = []
    for user in users:
        if may_decide(user):
            found.append(person_of(user))
        else:
            why = "has none of the roles that decide" if user.is_active else "is closed"
            left_out[f"the account {user.get_username()} {why}"] = None
    return found


def _by_name(names: Iterable[str]) -> dict[str, Any]:
    return {user.get_username(): user for user in accounts().filter(username__in=list(names))}


def _users(kind: str, value: str, by_name: Mapping[str, Any]) -> list[Any]:
    if kind == "user":
        if value not in by_name:
            raise BadInput(f"there is no user '{value}'", field="users", remedy="use the account's user name")
        return [by_name[value]]
    if kind == "group":
        if not Group.objects.filter(name=value).exists():
            raise BadInput(f"there is no group '{value}'", field="groups", remedy=f"one of: {_groups()}")
        return list(accounts().filter(groups__name=value).order_by("pk"))
    return list(accounts().filter(username__in=_on_call(value)).order_by("pk"))


def _groups() -> str:
    return ", ".join(Group.objects.order_by("name").values_list("name", flat=True)[:20])


def _on_call(name: str) -> list[str]:
    """The user names that a look-up gives now; the setting ZEN_ON_CALL names a function for each."""
    path = settings.ZEN_ON_CALL.get(name)
    if path is None:
        known = ", ".join(settings.ZEN_ON_CALL) or "none is set up (ZEN_ON_CALL)"
        raise BadInput(f"there is no on-call look-up '{name}'", field="on_call", remedy=f"known: {known}")
    return [str(username) for username in import_string(path)()]


def _of_email(address: str, left_out: dict[str, None]) -> list[Person]:
    """The account with this address when there is one, so that nobody counts twice, and nobody whose account may not
    decide does so by a link.
    """
    plain = untagged(address)
    alike = list(accounts().filter(_has_one_of([plain])).order_by("pk"))
    users = [user for user in alike if user.email.lower() == address.lower()] or alike
    if users:
        return _of_users([user for user in users if may_decide(user)][:1] or users, left_out)
    _check_address(address)
    return [Person(id=f"email:{plain}", name=address, email=address)]


def _check_address(address: str) -> None:
    """Here, and not when it is written to: an address that reaches nobody is found while somebody can mend it."""
    try:
        validate_email(address)
    except ValidationError:
        wrong = True
    else:
        wrong = len(address) > LONGEST_ADDRESS
    if wrong:
        raise BadInput(
            f"{address[:100]!r} is no e-mail address that reaches anybody", field="emails",
            remedy="give one such as ada@company.com, or the user name of an account",
        )  # fmt: skip

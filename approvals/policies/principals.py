"""Resolves the names in a policy to people: accounts and addresses, as they are when a request is opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils.module_loading import import_string

from approvals.core.policy.chain import names_in
from approvals.core.policy.definition import PolicyDefinition
from approvals.policies.accounts_by_name import called, reading
from foundation.errors import BadInput
from foundation.identity import permissions
from foundation.identity.names import is_address, mailbox, same_address
from orchestration.runs.contributors import Contributor

MAY_DECIDE = permissions.MAY["approval.decide"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person. `id`: user:7, or email:eve@example.com for one without an account, whatever tag their address has."""

    id: str
    name: str
    email: str = ""
    user_id: int | None = None

    def plain(self) -> dict[str, Any]:
        """As the request's row has it, under the id."""
        return {"name": self.name, "email": self.email, "user_id": self.user_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedPrincipals:
    """`people`: by person id. `named`: person ids by what the policy names. `left_out`: who may not decide, and why.

    `groups`: the ids of the groups that it names, by their names.
    """

    people: dict[str, Person]
    named: dict[str, frozenset[str]]
    left_out: tuple[str, ...]
    groups: Mapping[str, int] = field(default_factory=dict)


def person_of(user: Any) -> Person:
    """The person of an account."""
    name = user.get_full_name() or user.get_username()
    return Person(id=person_id(user.pk), name=name, email=user.email, user_id=user.pk)


def person_id(user_id: int) -> str:
    """The person id of an account."""
    return f"user:{user_id}"


def user_id_of(person: str) -> int | None:
    """The account's id; None for a person who is known by an address alone."""
    kind, _, pk = person.partition(":")
    return int(pk) if kind == "user" else None


def resolve(policy: PolicyDefinition) -> ResolvedPrincipals:
    """All people whom the policy names.

    Raises:
        BadInput: a user, group or on-call look-up does not exist, or an address is none.
    """
    people: dict[str, Person] = {}
    named: dict[str, frozenset[str]] = {}
    left_out: dict[str, None] = {}
    names = dict.fromkeys(name for who in policy.everybody() for name in names_in(who))
    by_name = _by_name(name.partition(":")[2] for name in names if name.startswith("user:"))
    groups = _group_ids(name.partition(":")[2] for name in names if name.startswith("group:"))
    for name in names:
        kind, _, value = name.partition(":")
        if kind == "email":
            here = _of_email(value, left_out)
        else:
            here = _of_users(_users(kind, value, by_name, groups), left_out)
        people |= {person.id: person for person in here}
        named[name] = frozenset(person.id for person in here)
    return ResolvedPrincipals(people=people, named=named, left_out=tuple(left_out), groups=groups)


def check_addresses(policy: PolicyDefinition) -> None:
    """Raises BadInput for an address that is none. Who may decide is looked up later, when a request is opened."""
    for address in {address for who in policy.everybody() for address in who.emails}:
        _of_email(address, {})


def ids_of(whom: Iterable[Contributor]) -> frozenset[str]:
    """The person ids of accounts, and of names and addresses, whether or not these have accounts.

    Accounts that read one mailbox are one person, and so is the mailbox itself, whatever tag its address has. An
    account that was deleted keeps its id: no other account ever gets it.
    """
    known = [one for one in whom if one.name]
    ids = {one.user_id for one in known if one.user_id is not None}
    names = {one.name for one in known if one.user_id is None}
    users = [*get_user_model().objects.filter(pk__in=ids), *called(names)]
    addresses = {one.email for one in users if one.email} | {name for name in names if "@" in name}
    boxes = {mailbox(address) for address in addresses}
    alike = {user.pk for user in (*users, *reading(boxes))} | ids
    return frozenset(map(person_id, alike)) | {f"email:{one}" for one in boxes | set(map(same_address, addresses))}


def account_of(name: str, among: Any = None) -> Any:
    """The account with this user name or address, as `same_address` compares it; None if there is none.

    `among`: the accounts to look at.
    """
    users = get_user_model().objects.all() if among is None else among
    found = users.filter(username=get_user_model().normalize_username(name)).first()
    if found is not None or "@" not in name:
        return found
    wanted = same_address(name)
    return next((user for user in reading({mailbox(name)}, users) if same_address(user.email) == wanted), None)


def who_may_decide(user_ids: Iterable[int]) -> frozenset[int]:
    """Of these accounts, those that are open and in a role that decides."""
    return frozenset(user.pk for user in accounts().filter(pk__in=list(user_ids)) if may_decide(user))


def accounts() -> Any:
    """Accounts with their groups: two queries, however many there are."""
    return get_user_model().objects.prefetch_related("groups")


def may_decide(user: Any) -> bool:
    """Whether the account is open and in a role that decides."""
    return bool(permissions.roles_of(user) & MAY_DECIDE)


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
    stored = {name: get_user_model().normalize_username(name) for name in names}
    users = {user.get_username(): user for user in accounts().filter(username__in=set(stored.values()))}
    return {name: users[kept] for name, kept in stored.items() if kept in users}


def _group_ids(names: Iterable[str]) -> dict[str, int]:
    wanted = list(names)
    return dict(Group.objects.filter(name__in=wanted).values_list("name", "pk")) if wanted else {}


def _users(kind: str, value: str, by_name: Mapping[str, Any], groups: Mapping[str, int]) -> list[Any]:
    if kind == "user":
        if value not in by_name:
            raise BadInput(f"there is no user '{value}'", field="users", remedy="use the account's user name")
        return [by_name[value]]
    if kind == "group":
        if value not in groups:
            raise BadInput(f"there is no group '{value}'", field="groups", remedy=f"one of: {_groups()}")
        return list(accounts().filter(groups=groups[value]).order_by("pk"))
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
    """The account with this address, if there is one, so that a person does not count twice.

    An account that may not decide gets no link for its address either.
    """
    box = mailbox(address)
    alike = reading({box}, accounts())
    users = [user for user in alike if same_address(user.email) == same_address(address)] or alike
    if users:
        return _of_users([user for user in users if may_decide(user)][:1] or users, left_out)
    _check_address(address)
    return [Person(id=f"email:{box}", name=address, email=address)]


def _check_address(address: str) -> None:
    """Checked here, and not when a message is sent.

    An address that reaches nobody is found while it can be corrected.
    """
    if not is_address(address):
        raise BadInput(
            f"{address[:100]!r} is no e-mail address that reaches anybody", field="emails",
            remedy="give one such as ada@company.com, or the user name of an account",
        )  # fmt: skip

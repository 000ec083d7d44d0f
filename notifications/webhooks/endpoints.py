"""Make an endpoint, change its keys, switch it on again."""

from __future__ import annotations

from typing import Literal

import httpx2
from django.db import transaction

from foundation import audit
from foundation.clock import now
from foundation.errors import BadInput, NotFound, WrongState
from foundation.identity import permissions
from foundation.identity.actor import Actor
from notifications.models import Endpoint
from notifications.webhooks import keys
from notifications.webhooks.addresses import usable
from notifications.webhooks.signatures import check_hmac_secret

Signing = Literal["both", "hmac", "ed25519"]
SECRETS = ["hmac_secret", "ed25519_secret", "public_key"]
PREVIOUS = ["previous_hmac_secret", "previous_ed25519_secret", "previous_until"]
LONGEST_OWNER = 150


def endpoint_for(
    url: str, owner: str, *, created_by: str = "", signing: Signing = "both", secret: str = ""
) -> Endpoint:
    """The endpoint of `owner` at the address `url`; a new one gets fresh keys.

    `signing`: hmac, ed25519 or both. `secret`: the HMAC secret of a new endpoint, in the spelling of Standard Webhooks;
    '' makes one. `created_by`: who is named in the audit. `shown_once` of a new endpoint holds its HMAC secret, which
    cannot be read later. An endpoint that exists already keeps its keys.

    Raises:
        BadInput: the address cannot be called, the owner is not usable, or the secret is none.
    """
    address = usable(url)
    if not owner.strip() or len(owner) > LONGEST_OWNER:
        raise BadInput(f"the owner {owner[:60]!r} is not usable", field="owner", remedy="1 to 150 characters")
    if secret:
        check_hmac_secret(secret)
    made = Endpoint(url=address, owner=owner, created_by=created_by)
    if signing in ("both", "hmac"):
        keys.give_hmac(made, secret)
    if signing in ("both", "ed25519"):
        keys.give_ed25519(made)
    with transaction.atomic():
        values = {name: getattr(made, name) for name in (*SECRETS, "created_by")}
        found, is_new = Endpoint.objects.get_or_create(url=address, owner=owner, defaults=values)
        if is_new:
            found.shown_once = made.shown_once
            actor = Actor(name=created_by or owner, door="engine")
            about = {"host": httpx2.URL(address).host, "owner": owner}  # a path may hold a secret
            audit.record(actor=actor, action="callback.endpoint", workflow_id=chain_of(found), **about)
    return found


def rotate(endpoint: Endpoint, *, actor: Actor) -> Endpoint:
    """Give `endpoint` new keys; the previous ones sign beside them for a day. `shown_once` holds the new HMAC secret.

    Raises:
        NotAllowed: `actor` may not change keys.
        NotFound: the endpoint was deleted.
    """
    permissions.require(actor, "callback.keys")
    with transaction.atomic():
        row = locked(endpoint)
        keys.replace(row, now())
        row.save(update_fields=[*SECRETS, *PREVIOUS])
        audit.record(actor=actor, action="callback.rotate", workflow_id=chain_of(row))
    return row


def enable(endpoint: Endpoint, *, actor: Actor) -> Endpoint:
    """Call `endpoint` again; callbacks that waited for it are sent when they are due.

    Raises:
        NotAllowed: `actor` may not act on callbacks.
        NotFound: the endpoint was deleted.
        WrongState: it is not disabled.
    """
    permissions.require(actor, "callback.act")
    with transaction.atomic():
        row = locked(endpoint)
        if row.disabled_at is None:
            raise WrongState("the endpoint is not disabled", field="endpoint")
        row.disabled_at, row.disabled_reason = None, ""
        row.save(update_fields=["disabled_at", "disabled_reason"])
        audit.record(actor=actor, action="callback.enable", workflow_id=chain_of(row))
    return row


def disable(endpoint: Endpoint, *, reason: str) -> None:
    """Call it no more; what is queued for it stays queued. Inside the caller's transaction. Raises NotFound."""
    row = locked(endpoint)
    if row.disabled_at is not None:
        return
    row.disabled_at, row.disabled_reason = now(), reason[:500]
    row.save(update_fields=["disabled_at", "disabled_reason"])
    actor = Actor(name="callbacks", door="engine")
    audit.record(actor=actor, action="callback.disable", workflow_id=chain_of(row), note=row.disabled_reason)


def locked(endpoint: Endpoint) -> Endpoint:
    """The endpoint, its row locked until the caller's transaction ends. Raises NotFound."""
    row = Endpoint.objects.select_for_update().filter(pk=endpoint.pk).first()
    if row is None:
        raise NotFound(f"there is no endpoint {endpoint.pk}", field="endpoint")
    return row


def chain_of(endpoint: Endpoint) -> str:
    """The audit's chain of what is done to an endpoint."""
    return f"endpoint:{endpoint.pk}"

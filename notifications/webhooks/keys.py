"""The secrets of an endpoint: how its row holds them, and what they are for the signer."""

from __future__ import annotations

from datetime import datetime, timedelta

from notifications.models import Endpoint
from notifications.webhooks.encryption import locked, unlocked
from notifications.webhooks.signatures import new_hmac_secret, new_key_pair

BOTH_VALID = timedelta(days=1)
"""How long the previous keys sign beside the new ones: receivers change theirs in this time."""


def give_hmac(endpoint: Endpoint, secret: str = "") -> None:
    endpoint.shown_once = secret or new_hmac_secret()
    endpoint.hmac_secret = locked(endpoint.shown_once)


def give_ed25519(endpoint: Endpoint) -> None:
    private, endpoint.public_key = new_key_pair()
    endpoint.ed25519_secret = locked(private)


def replace(endpoint: Endpoint, at: datetime) -> None:
    """New keys of the kinds that it has."""
    endpoint.previous_hmac_secret = endpoint.hmac_secret
    endpoint.previous_ed25519_secret = endpoint.ed25519_secret
    endpoint.previous_until = at + BOTH_VALID
    if endpoint.hmac_secret:
        give_hmac(endpoint)
    if endpoint.ed25519_secret:
        give_ed25519(endpoint)


def keys_of(endpoint: Endpoint, at: datetime) -> list[str]:
    """What signs at that moment: the present keys, and after a rotation the previous ones too."""
    kept = [endpoint.hmac_secret, endpoint.ed25519_secret]
    if endpoint.previous_until is not None and at < endpoint.previous_until:
        kept += [endpoint.previous_hmac_secret, endpoint.previous_ed25519_secret]
    return [unlocked(secret) for secret in kept if secret]

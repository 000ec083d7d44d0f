"""The site signs with one ed25519 key (settings.ZEN_SIGNING_KEY); anybody can verify with its public half."""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from foundation.errors import BadInput

KEY_BYTES = 32


def sign(message: bytes) -> str:
    """The signature in base64. Begin the message with words that no other kind of message begins with."""
    return base64.b64encode(_private().sign(message)).decode()


def verify(message: bytes, signature: str, *, key: str = "") -> bool:
    """Whether the holder of `key` signed it; without one: whether this site did."""
    try:
        _public(key or public_key()).verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def public_key() -> str:
    """The raw public key in base64."""
    return base64.b64encode(_private().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def public_pem() -> str:
    """The public key as openssl reads it."""
    return _private().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def key_id(key: str = "") -> str:
    """A short name of a public key; without one: of this site's. Raises BadInput for what is no public key."""
    return hashlib.sha256(_raw(key or public_key())).hexdigest()[:16]


def _private() -> Ed25519PrivateKey:
    return _loaded(settings.ZEN_SIGNING_KEY)


@lru_cache(maxsize=4)
def _loaded(seed: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed))


def _public(key: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(_raw(key))


def _raw(key: str) -> bytes:
    try:
        raw = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise BadInput(
            f"'{key[:60]}' is not a public key", field="key", remedy="32 bytes in base64, as `manage.py audit key` says"
        )
    return raw

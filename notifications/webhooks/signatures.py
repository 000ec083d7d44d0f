"""Standard Webhooks 1.0.0: secrets, and the signatures of a message. Knows no row and no clock."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from foundation.errors import BadInput

HMAC, PRIVATE, PUBLIC = "whsec_", "whsk_", "whpk_"
LEAST, MOST, NEW = 24, 64, 32  # bytes of an HMAC secret


def new_hmac_secret() -> str:
    return HMAC + _text(secrets.token_bytes(NEW))


def check_hmac_secret(secret: str) -> None:
    """The secret itself is not repeated in the message."""
    if not secret.startswith(HMAC) or not LEAST <= len(_bytes(secret, HMAC)) <= MOST:
        raise BadInput(
            f"the secret is not {HMAC} followed by {LEAST} to {MOST} bytes in base64",
            field="secret",
            remedy="leave it out to get a new one",
        )


def new_key_pair() -> tuple[str, str]:
    """The private key, which never leaves the site, and the public one, which is for the receiver."""
    private = Ed25519PrivateKey.generate()
    seed = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return PRIVATE + _text(seed), PUBLIC + _text(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def signature(*, webhook_id: str, timestamp: int, body: bytes, keys: Sequence[str]) -> str:
    """The header webhook-signature: one signature for each key, HMAC `v1,` or ed25519 `v1a,`."""
    message = f"{webhook_id}.{timestamp}.".encode() + body
    return " ".join(_signed(key, message) for key in keys)


def _signed(key: str, message: bytes) -> str:
    if key.startswith(PRIVATE):
        private = Ed25519PrivateKey.from_private_bytes(_bytes(key, PRIVATE))
        return "v1a," + _text(private.sign(message))
    return "v1," + _text(hmac.digest(_bytes(key, HMAC), message, hashlib.sha256))


def _bytes(key: str, prefix: str) -> bytes:
    try:
        return base64.b64decode(key.removeprefix(prefix), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()

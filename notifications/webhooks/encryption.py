"""Secrets at rest: encrypted with a key that is derived from the site's secret key."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes

from foundation.errors import WrongState

PURPOSE = b"zen: secrets of callback endpoints, 1"


def locked(text: str) -> str:
    return _vault().encrypt(text.encode()).decode()


def unlocked(kept: str) -> str:
    """Raises WrongState when the secret key is another one by now."""
    try:
        return _vault().decrypt(kept.encode()).decode()
    except InvalidToken:
        raise WrongState(
            "the endpoint's secret cannot be read: the site's secret key was changed",
            field="endpoint",
            remedy="put the old key into SECRET_KEY_FALLBACKS, or rotate the endpoint's secret",
        ) from None


def _vault() -> MultiFernet:
    """Encrypts with today's key, decrypts with it and those before."""
    return MultiFernet([_fernet(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _fernet(key: str | bytes) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(force_bytes(key))
    return Fernet(base64.urlsafe_b64encode(derived))

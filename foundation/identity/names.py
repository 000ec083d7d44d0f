"""Names and addresses compared: one way for all, the same on every database and in every locale."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import idna
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

LONGEST_ADDRESS = 254
NOT_SEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""What Unicode has nothing shown for beside its format characters (Cf): fillers, joiners and variation selectors."""
IGNORES_DOTS = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}
"""Domains whose mailboxes are known to have no dots of their own, and the name that they go by here."""


def folded(text: str) -> str:
    r"""The text by NFKC and full case folding, without invisible characters: two that are equal are one name.

    "Élise", "élise" and "E\u0301LISE" are one, "STRASSE" and "straße", too.
    """
    if text.isascii():
        return text.lower()
    shown = NOT_SEEN.sub("", unicodedata.normalize("NFKC", text))
    plain = "".join(char for char in shown if unicodedata.category(char) != "Cf")
    once = unicodedata.normalize("NFKC", plain.casefold())
    return unicodedata.normalize("NFKC", once.casefold())


def same_address(address: str) -> str:
    """The address as it is compared, its tag included; the domain as DNS has it (xn--bcher-kva.example)."""
    local, _, domain = address.strip().rpartition("@")
    return f"{folded(local)}@{_domain(domain)}" if local else folded(address.strip())


def mailbox(address: str) -> str:
    """ada@example.com for Ada+zen@example.com: mail to both arrives in one mailbox.

    A tag is what follows a plus sign, and quotes change nothing ("ada"@example.com). Dots count, but for the domains
    that are known to ignore them.
    """
    local, _, domain = same_address(address).rpartition("@")
    if not local:
        return domain
    local = _unquoted(local)
    local = local.partition("+")[0] or local
    if domain in IGNORES_DOTS:
        return f"{local.replace('.', '') or local}@{IGNORES_DOTS[domain]}"
    return f"{local}@{domain}"


def _unquoted(local: str) -> str:
    return re.sub(r"\\(.)", r"\1", local[1:-1]) if len(local) > 2 and local[0] == local[-1] == '"' else local


def is_address(text: str) -> bool:
    """Whether mail can be sent to it; of at most 254 characters."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= LONGEST_ADDRESS


@lru_cache(maxsize=1024)
def _domain(name: str) -> str:
    """One that is no domain is compared as a name is."""
    try:
        plain = name.rstrip(".")
        return idna.encode(plain.lower() if plain.isascii() else plain, uts46=not plain.isascii()).decode()
    except (idna.IDNAError, UnicodeError):
        return folded(name)

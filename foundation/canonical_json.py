"""One spelling for each JSON value, and the hash of an audit row. Pure; docs/reference/audit.md tells it to others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import rfc8785

OWN, JCS = 1, 2
"""Forms of canonical JSON, stored as `hash_version`: our own of before, and RFC 8785, which every language has."""


def settled(value: Any) -> Any:
    """The same value with 2.0 as 2: a database may give either back for the other."""
    if isinstance(value, dict):
        return {key: settled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [settled(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def canonical(value: Any) -> bytes:
    """Keys sorted by code point, no spaces, ASCII with \\u escapes, whole numbers without a fraction."""
    text = json.dumps(settled(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode("ascii")


def jcs(value: Any) -> bytes:
    """The value as RFC 8785 (JCS) writes it.

    Raises:
        ValueError: it holds what that form cannot: an integer beyond ±(2^53 - 1), half a character, NaN.
    """
    return rfc8785.dumps(settled(value))


FORMS: Mapping[int, Callable[[Any], bytes]] = {OWN: canonical, JCS: jcs}


def form_of(value: Any) -> int:
    """JCS, or OWN for a value that JCS cannot hold: what was accepted before there were two forms still is."""
    try:
        jcs(value)
    except ValueError:
        return OWN
    return JCS


def sha256(content: bytes) -> str:
    """SHA-256 as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def moment(at: datetime) -> str:
    """UTC with six digits of the second, such as 2026-11-25T09:30:00.000000Z."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What the hash of an audit row covers. `prev_hash`: of the row before it in its chain, '' for the first.

    `hash_version`: the form of canonical JSON that is hashed.
    """

    chain: str
    seq: int
    at: datetime
    actor: str
    door: str
    action: str
    note: str
    data: Any
    prev_hash: str
    hash_version: int = OWN

    def as_dict(self) -> dict[str, Any]:
        """The JSON object that is hashed (docs/reference/audit.md). In the first form it does not name its form."""
        plain = {
            "chain": self.chain,
            "seq": self.seq,
            "at": moment(self.at),
            "actor": self.actor,
            "door": self.door,
            "action": self.action,
            "note": self.note,
            "data": self.data,
            "prev_hash": self.prev_hash,
        }
        return plain if self.hash_version == OWN else {**plain, "hash_version": self.hash_version}

    def hash(self) -> str:
        """The hash of the row: SHA-256 of `as_dict` in canonical JSON of its form.

        Raises:
            ValueError: there is no such form, or it cannot hold the row.
        """
        if self.hash_version not in FORMS:
            raise ValueError(f"there is no form {self.hash_version} of canonical JSON")
        return sha256(FORMS[self.hash_version](self.as_dict()))


def in_latest_form(link: Link) -> tuple[Link, str]:
    """The row, to be hashed as JCS or, where that cannot hold it, in our own form; and its hash."""
    latest = replace(link, hash_version=JCS)
    try:
        return latest, latest.hash()
    except ValueError:
        own = replace(link, hash_version=OWN)
        return own, own.hash()

"""One spelling for each JSON value, and the hash of an audit row. Pure; docs/audit.md tells it to others."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


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


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def moment(at: datetime) -> str:
    """UTC with six digits of the second, such as 2026-11-25T09:30:00.000000Z."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What the hash of an audit row covers. `prev_hash`: of the row before it in its chain, '' for the first."""

    chain: str
    seq: int
    at: datetime
    actor: str
    door: str
    action: str
    note: str
    data: Any
    prev_hash: str

    def as_dict(self) -> dict[str, Any]:
        return {
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

    def hash(self) -> str:
        return sha256(canonical(self.as_dict()))

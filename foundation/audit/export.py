"""The audit as plain values, for people who verify it with tools of their own (docs/reference/audit.md has the
recipe).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from foundation.audit.chain import stored_rows
from foundation.audit.heads import heads_of
from foundation.models import AuditSeal


def exported(*, chain: str | None = None) -> Iterator[dict[str, Any]]:
    """Rows in the order of their chains, then seals with their heads."""
    for row in stored_rows(chain):
        if row.link is not None:
            yield {"kind": "row", **row.link.as_dict(), "hash": row.hash}
    for seal in AuditSeal.objects.order_by("number").iterator(chunk_size=100):
        yield seal_view(seal) | {"heads": [list(head) for head in heads_of(seal.number)]}


def seal_view(seal: AuditSeal) -> dict[str, Any]:
    """A seal as JSON: the fields that its hash covers, `hash` and `signature`."""
    return {"kind": "seal", **seal.as_dict(), "hash": seal.hash, "signature": seal.signature}

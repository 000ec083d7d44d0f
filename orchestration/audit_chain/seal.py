"""A seal signs how far every chain has come, so that a cut-off tail or a whole lost chain is found later."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from django.db import connection

from orchestration import signing, sql
from orchestration.audit_chain.canonical import canonical
from orchestration.clock import now
from orchestration.models import AuditSeal, SealedHead
from orchestration.turns import turn

Head = tuple[str, int, str]
"""The name of a chain, the number of its last row, that row's hash."""

BATCH = 1000


def seal() -> AuditSeal:
    """Sign how far the chains have come by now."""
    with sql.writing():
        return _sealed(_latest(), now())


def seal_of_the_day() -> AuditSeal | None:
    """The day's seal, or None when the day (of UTC) has one. However often it is asked for, there is one."""
    with sql.writing():
        latest, at = _latest(), now()
        return None if latest is not None and latest.at.date() >= at.date() else _sealed(latest, at)


def _latest() -> AuditSeal | None:
    sql.rows_of(*turn("audit-seal"))
    return AuditSeal.objects.last()


def _sealed(latest: AuditSeal | None, at: datetime) -> AuditSeal:
    rows, chains, moved = _heads()
    new = AuditSeal(
        number=latest.number + 1 if latest else 1,
        at=at,
        rows=rows,
        chains=chains,
        moved=len(moved),
        prev_hash=latest.hash if latest else "",
        key_id=signing.key_id(),
    )
    for part in _parts(moved):
        SealedHead.objects.bulk_create(
            SealedHead(seal_id=new.number, chain=chain, seq=seq, hash=known) for chain, seq, known in part
        )
    new.digest = digest(sorted(moved))
    new.hash = new.expected_hash()
    new.signature = signing.sign(new.signed_bytes())
    new.save(force_insert=True)
    return new


# One statement, so that the counts and the heads are of the same moment.
_HEADS = """
WITH ends AS (
    SELECT workflow_id, MAX(seq) AS seq, COUNT(*) AS n FROM orchestration_auditevent GROUP BY workflow_id
), sealed AS (
    SELECT chain, MAX(seal_id) AS seal_id FROM orchestration_sealedhead GROUP BY chain
)
SELECT ends.workflow_id, ends.seq, ends.n, last.hash, known.hash
FROM ends
JOIN orchestration_auditevent AS last ON last.workflow_id = ends.workflow_id AND last.seq = ends.seq
LEFT JOIN sealed ON sealed.chain = ends.workflow_id
LEFT JOIN orchestration_sealedhead AS known ON known.chain = sealed.chain AND known.seal_id = sealed.seal_id
"""


def _heads() -> tuple[int, int, list[Head]]:
    """How many rows and chains there are, and the heads of the chains that are not as the last seal has them."""
    rows, chains, moved = 0, 0, []
    with connection.cursor() as cursor:
        cursor.execute(_HEADS)
        for chain, seq, count, current, known in cursor:
            rows, chains = rows + count, chains + 1
            if current != known:
                moved.append((chain, seq, current))
    return rows, chains, moved


def digest(heads: Iterable[Head]) -> str:
    """SHA-256 over a line for each head, in the order of the chains' names (by code point)."""
    total = hashlib.sha256()
    for head in heads:
        total.update(canonical(list(head)) + b"\n")
    return total.hexdigest()


def heads_of(number: int) -> Iterator[Head]:
    """The heads that a seal holds, in the order of their digest."""
    yield from sorted(SealedHead.objects.filter(seal_id=number).values_list("chain", "seq", "hash"))


def _parts(heads: list[Head]) -> Iterator[list[Head]]:
    source = iter(heads)
    while part := list(islice(source, BATCH)):
        yield part

"""How far the chains have come, and how far seals say that they had come. Reads pages, never in a long transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from foundation.canonical_json import canonical
from foundation.db import statements
from foundation.models import SealedHead

Head = tuple[str, int, str]
"""The name of a chain, the number of its last row, that row's hash."""

PAGE = 1000

# The ends of the chains of a page, beside what the last of the seals up to a number says of each.
_PAGE = """
WITH page AS (
    SELECT workflow_id, MAX(seq) AS seq FROM orchestration_auditevent WHERE workflow_id {after} %s
    GROUP BY workflow_id ORDER BY workflow_id LIMIT {size}
)
SELECT page.workflow_id, page.seq, last.hash, known.hash
FROM page
JOIN orchestration_auditevent AS last ON last.workflow_id = page.workflow_id AND last.seq = page.seq
LEFT JOIN orchestration_sealedhead AS known ON known.chain = page.workflow_id AND known.seal_id = (
    SELECT MAX(seal_id) FROM orchestration_sealedhead AS heads WHERE heads.chain = page.workflow_id AND seal_id <= %s
)
ORDER BY page.workflow_id
"""


def moved_since(number: int) -> Iterator[list[Head]]:
    """Page by page, the heads of the chains that are not as the seals up to this number have them.

    Each page is of its own moment: a chain that grows behind the place of the reading is found by the next seal.
    """
    after, name = ">=", ""
    while True:
        statement = statements.Statement(_PAGE.format(after=after, size=PAGE), [name, number])
        page = statements.rows_of(statement)[0]
        yield [(chain, seq, current) for chain, seq, current, known in page if current != known]
        if len(page) < PAGE:
            return
        after, name = ">", page[-1][0]


_COUNT = "SELECT COUNT(*) FROM orchestration_auditevent"


def rows_there_are() -> int:
    """How many audit rows there are, all chains together."""
    return int(statements.rows_of(statements.Statement(_COUNT, []))[0][0][0])


# Of each head of a seal: how many rows its chain has gained since the seal that spoke of it before; NULL if none did.
_GAINED = """
SELECT COUNT(*), SUM(seq - COALESCE(before, 0)), SUM(CASE WHEN before IS NULL THEN 1 ELSE 0 END) FROM (
    SELECT head.seq, (
        SELECT earlier.seq FROM orchestration_sealedhead AS earlier
        WHERE earlier.chain = head.chain AND earlier.seal_id < head.seal_id ORDER BY earlier.seal_id DESC LIMIT 1
    ) AS before
    FROM orchestration_sealedhead AS head WHERE head.seal_id = %s
) AS heads
"""


def gained(number: int) -> tuple[int, int, int]:
    """Of the heads stored for a seal: how many they are, the rows and the chains that came since the seal before."""
    heads, rows, chains = statements.rows_of(statements.Statement(_GAINED, [number]))[0][0]
    return int(heads), int(rows or 0), int(chains or 0)


def digest(heads: Iterable[Head]) -> str:
    """SHA-256 over a line for each head, in the order of the chains' names (by code point)."""
    total = hashlib.sha256()
    for head in heads:
        total.update(canonical(list(head)) + b"\n")
    return total.hexdigest()


def heads_of(number: int) -> Iterator[Head]:
    """The heads that a seal holds, in the order of their digest."""
    yield from sorted(SealedHead.objects.filter(seal_id=number).values_list("chain", "seq", "hash"))

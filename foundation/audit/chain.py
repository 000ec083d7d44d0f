"""Walk the chains, row by row in pages, and report the first row of each that is not as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from foundation.audit.findings import Finding, Report
from foundation.canonical_json import Link
from foundation.db import statements

PAGE = 1000
_COLUMNS = "workflow_id, seq, at, actor, door, action, note, data, prev_hash, hash, hash_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A row as the database has it. `link` is None when it does not even read as a row of ours."""

    chain: str
    seq: int
    prev_hash: str
    hash: str
    link: Link | None

    def is_as_written(self) -> bool:
        """Whether the row has the hash that its content gives."""
        return self.link is not None and _hash_of(self.link) == self.hash


def walk(report: Report, *, chain: str | None = None) -> None:
    """Check all chains, or one; findings and counts are added to the report."""
    for name, rows in groupby(stored_rows(chain), key=lambda row: row.chain):
        report.chains += 1
        finding, before = None, None
        for row in rows:
            report.rows += 1
            finding = finding or _fault(row, before)
            before = row
        if finding is not None:
            report.findings.append(_explained(name, finding))


def stored_rows(chain: str | None = None) -> Iterator[Stored]:
    """In the order of chains and numbers, a page at a time."""
    place: tuple[str, int] = (chain or "", -1)
    only = "" if chain is None else "AND workflow_id = %s"
    text = (
        f"SELECT {_COLUMNS} FROM orchestration_auditevent "  # noqa: S608 - constants
        f"WHERE (workflow_id, seq) > (%s, %s) {only} ORDER BY workflow_id, seq LIMIT {PAGE}"
    )
    while True:
        parameters = [*place, *([] if chain is None else [chain])]
        page = statements.rows_of(statements.Statement(text, parameters))[0]
        yield from map(_stored, page)
        if len(page) < PAGE:
            return
        place = (page[-1][0], page[-1][1])


def _stored(cells: tuple[object, ...]) -> Stored:
    chain, seq, at, actor, door, action, note, data, prev_hash, known, version = cells
    try:
        link = Link(
            chain=str(chain),
            seq=int(str(seq)),
            at=statements.as_moment(at),
            actor=str(actor),
            door=str(door),
            action=str(action),
            note=str(note),
            data=statements.from_json(data),
            prev_hash=str(prev_hash),
            hash_version=int(str(version)),
        )
    except ValueError:
        link = None
    return Stored(chain=str(chain), seq=int(str(seq)), prev_hash=str(prev_hash), hash=str(known), link=link)


def _fault(row: Stored, before: Stored | None) -> Finding | None:
    expected = before.seq + 1 if before else 1
    if row.seq > expected:
        return Finding(what="missing", chain=row.chain, seq=expected, message=f"row {expected} is missing")
    if row.seq < expected:
        return Finding(what="repeated", chain=row.chain, seq=row.seq, message=f"row {row.seq} is there twice")
    if not row.is_as_written():
        return Finding(what="changed", chain=row.chain, seq=row.seq, message=f"row {row.seq} was changed")
    if row.prev_hash != (before.hash if before else ""):
        what = f"row {row.seq} was not written after the row {row.seq - 1} that stands before it"
        return Finding(what="unlinked", chain=row.chain, seq=row.seq, message=what)
    return None


def _explained(chain: str, finding: Finding) -> Finding:
    """A changed row that is whole under another number was moved."""
    if finding.what != "changed":
        return finding
    rows = list(stored_rows(chain))
    row = next(row for row in rows if row.seq == finding.seq)
    number = _number_of(row, most=rows[-1].seq + 1)
    if number is None:
        return finding
    what = f"row {row.seq} was written as row {number}: the rows were reordered"
    return Finding(what="reordered", chain=chain, seq=row.seq, message=what)


def _number_of(row: Stored, *, most: int) -> int | None:
    if row.link is None:
        return None
    link = row.link
    return next((n for n in range(1, most + 1) if _hash_of(replace(link, seq=n)) == row.hash), None)


def _hash_of(link: Link) -> str:
    """'' for a row that was changed to a form that there is not, or that cannot hold it."""
    try:
        return link.hash()
    except ValueError:
        return ""

"""Chains to tamper with, and the tampering: raw SQL by somebody who holds the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from foundation import audit
from foundation.audit import triggers
from foundation.audit.findings import Finding
from foundation.audit.verify import verify
from foundation.identity.actor import Actor

ALICE = Actor(name="alice", door="console", roles=frozenset({"administrator"}))


def chain(name: str, rows: int = 5) -> None:
    for number in range(1, rows + 1):
        audit.record(actor=ALICE, action="run.hold", workflow_id=name, note=f"note {number}", step_id=f"s{number}")


@contextmanager
def unguarded() -> Iterator[None]:
    """The triggers are off, as for the owner of the tables, and on again after."""
    _run(triggers.drop(connection.vendor))
    try:
        yield
    finally:
        _run(triggers.create(connection.vendor))


def tamper(statement: str, *parameters: Any) -> None:
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        assert cursor.rowcount > 0, "nothing was tampered with"


def found(chain: str | None = None) -> list[tuple[str | None, int | None, str]]:
    return [(finding.chain, finding.seq, finding.what) for finding in findings(chain)]


def findings(chain: str | None = None) -> list[Finding]:
    return verify(chain=chain).findings


def _run(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)

"""A seal signs how far every chain has come, so that a cut-off tail or a whole lost chain is found later.

Other writers wait for milliseconds only, however many chains there are. A process that makes a seal takes a lease on it
(`SealInHand`), reads the chains in pages outside any transaction, stores each page of heads in a transaction of its
own, and at last the seal. If it dies, the heads that it stored stay, and the next process goes on with the same seal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from uuid import uuid4

from foundation.audit import signing_key
from foundation.audit.heads import Head, digest, gained, heads_of, moved_since, rows_there_are
from foundation.clock import now
from foundation.db import statements
from foundation.db.advisory_lock import lock_by_name
from foundation.models import AuditSeal, SealInHand

LEASE = timedelta(seconds=60)
"""A process that makes a seal and stores nothing for so long has lost it. It stores a page in milliseconds."""

LOOK_SECONDS = 0.1


class TakenOver(Exception):
    """Another maker has the seal: this one was away for longer than its lease."""


def seal() -> AuditSeal:
    """Sign how far the chains have come by now.

    If another process is making a seal, wait for it to end or lose its lease.
    """
    asked = now()
    while True:
        in_hand = _taken(lambda _: True)
        made = _made(in_hand) if in_hand else None
        if made is not None and made.at >= asked:
            return made
        if in_hand is None:
            time.sleep(LOOK_SECONDS)


def seal_of_the_day() -> AuditSeal | None:
    """Make the day's seal. None when this day (of UTC) has one, or another process is making it."""
    while True:
        in_hand = _taken(lambda latest: latest is None or latest.at.date() < now().date())
        if in_hand is None:
            return None
        made = _made(in_hand)
        if made is not None and made.at.date() >= now().date():
            return made


def _taken(is_due: Callable[[AuditSeal | None], bool]) -> SealInHand | None:
    """The next seal, leased to this process; None when it is not due, or another living process has it."""
    with statements.writing():
        statements.rows_of(*lock_by_name("audit-seal"))
        latest, at = AuditSeal.objects.last(), now()
        if not is_due(latest):
            return None
        number = latest.number + 1 if latest else 1
        in_hand = SealInHand.objects.filter(number=number).first()
        if in_hand is None:
            in_hand = SealInHand(number=number, began_at=at)
        elif in_hand.lease_until > at:
            return None
        in_hand.maker, in_hand.lease_until = uuid4().hex, at + LEASE
        in_hand.save()
        return in_hand


def _made(in_hand: SealInHand) -> AuditSeal | None:
    """The seal; None when its maker was away for too long and another took it over."""
    try:
        return _sealed(in_hand)
    except TakenOver:
        return None


def _sealed(in_hand: SealInHand) -> AuditSeal:
    before = AuditSeal.objects.filter(number=in_hand.number - 1).first()
    # Every row of a chain has a seal that counts it, or else there are more rows than the last seal has counted.
    if before is None or rows_there_are() != before.rows:
        for page in moved_since(in_hand.number - 1):
            _store(in_hand, page)
    moved, rows, chains = gained(in_hand.number)
    new = AuditSeal(
        number=in_hand.number,
        at=in_hand.began_at,
        rows=rows + (before.rows if before else 0),
        chains=chains + (before.chains if before else 0),
        moved=moved,
        digest=digest(heads_of(in_hand.number)),
        prev_hash=before.hash if before else "",
        key_id=signing_key.key_id(),
    )
    new.hash = new.expected_hash()
    new.signature = signing_key.sign(new.signed_bytes())
    with statements.writing():
        _hold_on(in_hand)
        new.save(force_insert=True)
        SealInHand.objects.filter(number=in_hand.number).delete()
    return new


def _store(in_hand: SealInHand, heads: Iterable[Head]) -> None:
    """A page. A head that an earlier maker stored stays: its row is as good, and the next seal has what followed."""
    with statements.writing():
        _hold_on(in_hand)
        rows = [(in_hand.number, chain, seq, known) for chain, seq, known in heads]
        columns, clash = "seal_id, chain, seq, hash", "(chain, seal_id) DO NOTHING"
        statements.run(*statements.insert("orchestration_sealedhead", columns, rows, on_conflict=clash))


def _hold_on(in_hand: SealInHand) -> None:
    """Renew the lease, in the transaction of what is written under it."""
    statements.rows_of(*lock_by_name("audit-seal"))
    ours = SealInHand.objects.filter(number=in_hand.number, maker=in_hand.maker)
    if not ours.update(lease_until=now() + LEASE):
        raise TakenOver(f"seal {in_hand.number} is being made by another process")

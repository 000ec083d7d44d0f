"""Check the seals, and the chains against them."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection

from foundation.audit import signing_key
from foundation.audit.findings import Finding, Report
from foundation.audit.heads import digest, heads_of
from foundation.models import AuditEvent, AuditSeal


def check_seals(report: Report, *, trusted: Mapping[str, str]) -> None:
    """Every seal by itself and against the one before. `trusted`: public keys by their ids."""
    number, prev_hash = 1, ""
    for seal in AuditSeal.objects.order_by("number").iterator(chunk_size=1000):
        report.seals += 1
        fault = _fault(seal, number, prev_hash, trusted)
        if fault is not None:
            what, message = fault
            report.findings.append(Finding(what=what, seal=seal.number, message=message))
        number, prev_hash = seal.number + 1, seal.hash


def _fault(seal: AuditSeal, number: int, prev_hash: str, trusted: Mapping[str, str]) -> tuple[str, str] | None:
    if seal.number != number:
        return "seal-missing", f"seal {number} is missing"
    if seal.expected_hash() != seal.hash:
        return "seal-changed", f"seal {number} was changed"
    if seal.key_id not in trusted:
        remedy = "if you know its public key, name it with --trust"
        return "seal-unknown-key", f"seal {number} is signed by the key {seal.key_id}, which is not ours; {remedy}"
    if not signing_key.verify(seal.signed_bytes(), seal.signature, key=trusted[seal.key_id]):
        return "seal-signature", f"the signature of seal {number} does not hold"
    if seal.prev_hash != prev_hash:
        return "seal-unlinked", f"seal {number} was not made after the seal that stands before it"
    if digest(heads_of(number)) != seal.digest:
        return "seal-heads", f"the heads that seal {number} holds were changed"
    return None


_UNLIKE = """
SELECT head.chain, head.seq, head.seal_id, event.hash
FROM orchestration_sealedhead AS head
LEFT JOIN orchestration_auditevent AS event ON event.workflow_id = head.chain AND event.seq = head.seq
WHERE (event.hash IS NULL OR event.hash <> head.hash) {only}
ORDER BY head.chain, head.seq, head.seal_id
"""


def check_against_seals(report: Report, *, chain: str | None = None) -> None:
    """Each sealed row must still be there with its hash. A chain that already has a finding gets no second one."""
    known = {finding.chain for finding in report.findings}
    only, parameters = ("", []) if chain is None else ("AND head.chain = %s", [chain])
    with connection.cursor() as cursor:
        cursor.execute(_UNLIKE.format(only=only), parameters)
        unlike = cursor.fetchall()
    for name, seq, seal, stands in unlike:
        if name not in known:
            known.add(name)
            report.findings.append(_lost(name, seq, seal) if stands is None else _rewritten(name, seq, seal))


def _lost(chain: str, seq: int, seal: int) -> Finding:
    last = AuditEvent.objects.filter(workflow_id=chain).order_by("-seq").values_list("seq", flat=True).first()
    if last is None:
        what, message = "chain-missing", f"the whole chain is missing; seal {seal} has its row {seq}"
        return Finding(what=what, chain=chain, seq=1, seal=seal, message=message)
    message = f"the tail is cut off: it ends with row {last}, and seal {seal} has its row {seq}"
    return Finding(what="tail-cut", chain=chain, seq=last + 1, seal=seal, message=message)


def _rewritten(chain: str, seq: int, seal: int) -> Finding:
    message = f"row {seq} is not the one of seal {seal}: the chain was rewritten"
    return Finding(what="rewritten", chain=chain, seq=seq, seal=seal, message=message)

"""Is the audit as it was written? Reads everything, changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from orchestration import signing
from orchestration.audit_chain import triggers
from orchestration.audit_chain.findings import Finding, Report
from orchestration.audit_chain.sealed import check_against_seals, check_seals
from orchestration.audit_chain.walk import walk
from orchestration.errors import NotFound
from orchestration.models import AuditEvent, AuditSeal, SealedHead


def verify(*, chain: str | None = None, trust: Sequence[str] = (), kept_seal: str = "") -> Report:
    """All chains, or one, and all seals.

    `trust`: public keys besides this site's, for seals of an earlier key. `kept_seal`: the hash of a seal that was
    kept elsewhere, which must be among ours.
    """
    trusted = {signing.key_id(key): key for key in (signing.public_key(), *trust)}
    if chain is not None:
        _require(chain)
    report = Report()
    walk(report, chain=chain)
    check_seals(report, trusted=trusted)
    check_against_seals(report, chain=chain)
    if kept_seal and not AuditSeal.objects.filter(hash=kept_seal).exists():
        report.findings.append(Finding(what="seal-lost", message=f"the seal {kept_seal} is not among ours"))
    for name in triggers.missing(connection):
        message = f"the database lets the audit be changed: the trigger {name} is missing or off"
        report.findings.append(Finding(what="unprotected", message=message))
    return report


def _require(chain: str) -> None:
    here = AuditEvent.objects.filter(workflow_id=chain).exists()
    if not here and not SealedHead.objects.filter(chain=chain).exists():
        message = f"the audit has nothing about '{chain}'"
        raise NotFound(message, field="workflow_id", remedy="see `manage.py runs list`, or leave it out")

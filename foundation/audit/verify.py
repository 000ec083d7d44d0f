"""Is the audit as it was written? Reads everything, changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from foundation.audit import signing_key, triggers
from foundation.audit.chain import walk
from foundation.audit.findings import Finding, Report
from foundation.audit.sealed import check_against_seals, check_seals
from foundation.errors import NotFound
from foundation.models import AuditEvent, AuditSeal, SealedHead


def verify(*, chain: str | None = None, trust: Sequence[str] = (), kept_seal: str = "") -> Report:
    """Check all chains, or one, and all seals.

    `trust`: public keys (base64) besides this site's, for seals of an earlier key. `kept_seal`: the hash of a seal that
    was kept elsewhere, which must be among ours. Whether triggers are missing is reported, too.

    Raises:
        NotFound: the audit has nothing about `chain`.
        BadInput: an entry of `trust` is no public key.
    """
    trusted = {signing_key.key_id(key): key for key in (signing_key.public_key(), *trust)}
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

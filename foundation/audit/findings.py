"""The report of a verification."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it was written: the first of its chain, or a seal, or the table's own protection.

    `what`: changed, reordered, missing, unlinked, repeated, tail-cut, chain-missing, rewritten; seal-missing,
    seal-changed, seal-unlinked, seal-heads, seal-signature, seal-unknown-key, seal-lost; unprotected.
    """

    what: str
    message: str
    chain: str | None = None
    seq: int | None = None
    seal: int | None = None


@dataclass(slots=True, kw_only=True)
class Report:
    """How many rows, chains and seals were checked, and what was found."""

    rows: int = 0
    chains: int = 0
    seals: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON, as `manage.py audit verify --json` prints it."""
        return {
            "whole": self.is_whole,
            "rows": self.rows,
            "chains": self.chains,
            "seals": self.seals,
            "findings": [asdict(finding) for finding in self.findings],
        }

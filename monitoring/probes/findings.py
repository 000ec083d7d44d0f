"""Findings of the doctor from what is wrong with the site."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from monitoring.core.health import Issue
from monitoring.examine import Finding, State, own_connection


def finding_of(*probes: Callable[[], Iterator[Issue]]) -> Callable[[], Finding]:
    """A probe of the doctor that asks these of the site; a warning with their sentences, or ok."""

    @own_connection
    def look() -> Finding:
        issues = [issue for probe in probes for issue in probe()]
        if not issues:
            return Finding(state=State.OK)
        remedies = dict.fromkeys(issue.act.text for issue in issues if issue.act is not None)
        detail = "; ".join(issue.sentence for issue in issues)
        return Finding(state=State.WARNING, detail=detail, remedy="; ".join(remedies))

    return look

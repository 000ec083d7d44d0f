"""Recovery as text, for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from foundation.console.tables import folded, out
from monitoring.core.policy import RecoveryPolicy


def policy_list(rows: Sequence[Mapping[str, Any]]) -> None:
    """One line for each policy."""
    table = Table("policy", "mode", "version", "runs", "does", "name", box=None, pad_edge=False)
    for row in rows:
        does = f"{', '.join(row['recovery_actions'])} ({row['max_recovery_attempts']})"
        cells = (row["policy_id"], row["mode"], str(row["version"]), ", ".join(row["workflow_types"]), does)
        table.add_row(*(escape(cell) for cell in cells), escape(row["name"]))
    folded(table)


def policy(view: Mapping[str, Any]) -> None:
    """One policy whole."""
    out().print(f"{escape(view['policy_id'])} {view['version']}  {view['mode']}  {escape(view['name'])}")
    known = {"policy_id", "version", "mode", "name", "hash", "current", "shipped", "warnings", "versions"}
    for name, value in view.items():
        if name not in known:
            shown = value if isinstance(value, str) else json.dumps(value)
            out().print(f"  {name}: {escape(shown)}")
    for caution in view["warnings"]:
        out().print(f"  doubtful: {escape(caution)}")
    for one in view["versions"]:
        mark = "current" if one["current"] else ""
        out().print(f"  version {one['version']} by {escape(one['published_by'])} {one['published_at'][:19]} {mark}")


def in_words(policy: RecoveryPolicy) -> Iterator[str]:
    """A policy in a few lines, for whoever is asked whether it shall be published."""
    yield f"runs of {', '.join(policy.workflow_types)} that meet {json.dumps(policy.body()['conditions'])}"
    does = ", ".join(action.value for action in policy.recovery_actions)
    yield f"{does}; {policy.max_recovery_attempts} attempts a run, {policy.max_per_hour} an hour; {policy.mode}"
    asks = [action.value for action in policy.acting if action in policy.needs_approval]
    if asks:
        yield f"{', '.join(asks)} only with a yes under {policy.approval_policy}"

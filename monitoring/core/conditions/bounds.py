"""Comparisons that stand together and exclude each other."""

from __future__ import annotations

import math
from collections.abc import Sequence

from foundation.errors import BadInput
from monitoring.core.conditions.tree import Condition, Leaf
from monitoring.core.conditions.vocabulary import METRICS, NUMBER


def check_together(parts: Sequence[Condition], field: str) -> None:
    """Refuse comparisons of one metric that no value can meet together. Raises BadInput."""
    by_metric: dict[str, list[Leaf]] = {}
    for part in parts:
        if isinstance(part, Leaf) and METRICS[part.metric].kind == NUMBER and isinstance(part.bound, int | float):
            by_metric.setdefault(part.metric, []).append(part)
    for metric, found in by_metric.items():
        if len(found) > 1 and _excluded(found):
            told = " and ".join(f"{leaf.op} {leaf.bound}" for leaf in found)
            raise BadInput(
                f"no value of {metric} is {told}", field=f"{field}.{metric}", value=told,
                remedy="change a bound, or put the comparisons into {'any': [...]}",
            )  # fmt: skip


def _excluded(found: Sequence[Leaf]) -> bool:
    low, low_open, high, high_open = -math.inf, False, math.inf, False
    for leaf in found:
        bound = float(leaf.bound)  # type: ignore[arg-type]  # numbers only, see above
        if leaf.op in (">=", ">", "==") and (bound, leaf.op == ">") > (low, low_open):
            low, low_open = bound, leaf.op == ">"
        if leaf.op in ("<=", "<", "==") and (-bound, leaf.op == "<") > (-high, high_open):
            high, high_open = bound, leaf.op == "<"
    point = low == high and not low_open and not high_open
    barred = point and any(leaf.op == "!=" and leaf.bound == low for leaf in found)
    return low > high or (low == high and (low_open or high_open)) or barred

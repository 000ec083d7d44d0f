"""What a condition is allowed to say and probably does not mean."""

from __future__ import annotations

from collections.abc import Iterator

from monitoring.core.conditions.tree import Condition, leaves, names
from monitoring.core.conditions.vocabulary import METRICS


def cautions(condition: Condition) -> list[str]:
    """Sentences for whoever publishes it; [] if nothing is doubtful."""
    return list(dict.fromkeys(_cautions(condition)))


def _cautions(condition: Condition) -> Iterator[str]:
    asked = names(condition)
    if "error_rate" in asked and not any(METRICS[name].count for name in asked):
        yield "error_rate stands without a count beside it: one failure of one attempt is a rate of 1 (add attempts)"
    for leaf in leaves(condition):
        known = METRICS[leaf.metric]
        numbers = [one for one in (leaf.bound if isinstance(leaf.bound, tuple) else (leaf.bound,)) if known.share]
        if any(not 0 <= float(one) <= 1 for one in numbers):
            yield f"{leaf.metric} is a share of 0 to 1, and is compared with {leaf.bound}"
        if known.moves and leaf.op in ("==", "in"):
            yield f"{leaf.metric} moves all the time and is hardly ever exactly {leaf.bound}: compare with >= or <="

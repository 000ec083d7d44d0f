"""Conditions of recovery policies: `{metric: {op: value}}` as a tree, and whether a run's figures meet it. Pure.

`parse` reads and checks what an administrator wrote; `matches` answers True, False, or None where a figure that it
needs is not known; `why` tells each comparison with its value and bound; `next_change` is the first moment at which the
answer may change by the clock alone; `cautions` are sentences about what is allowed and probably not meant.

`vocabulary` has every metric with the type of its value; `tree` the nodes; `reading` the checks; `answers` the rest.
An unknown value is never true, and `not` leaves it unknown (three-valued, after Kleene).
"""

from monitoring.core.conditions.answers import could_match, matches, next_change, why
from monitoring.core.conditions.cautions import cautions
from monitoring.core.conditions.reading import parse
from monitoring.core.conditions.tree import Condition, Leaf, Line, Metrics, leaves, names
from monitoring.core.conditions.vocabulary import METRICS, OPERATORS

__all__ = [
    "METRICS",
    "OPERATORS",
    "Condition",
    "Leaf",
    "Line",
    "Metrics",
    "cautions",
    "could_match",
    "leaves",
    "matches",
    "names",
    "next_change",
    "parse",
    "why",
]  # fmt: skip

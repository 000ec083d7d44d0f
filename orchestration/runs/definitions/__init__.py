"""Definitions: validated, refused, published and stored.

`checking` validates the JSON of a definition, once for each content; `refusals` refuses what is valid and cannot run as
things stand now; `reserved` keeps Zen's own handlers to the sagas that Zen compiles; `stored` keeps versions: one row
for each content of a saga, numbered, never changed; `versions` finds them. Imported by `start`, by acts and by the
doors. What a definition may say is judged in `orchestration.core.definition`.
"""

from orchestration.runs.definitions.checking import Checked, checked
from orchestration.runs.definitions.refusals import (
    check_definition,
    refuse_circles,
    refuse_gaps,
    refuse_gates,
    refuse_reserved,
    refuse_slow_patterns,
    refuse_unknown_children,
    warnings_now,
)
from orchestration.runs.definitions.reserved import is_own, refuse_reserved_action
from orchestration.runs.definitions.stored import audit_publishing, publish, store
from orchestration.runs.definitions.versions import definition_by_name, published, published_body

__all__ = [
    "Checked",
    "audit_publishing",
    "check_definition",
    "checked",
    "definition_by_name",
    "is_own",
    "publish",
    "published",
    "published_body",
    "refuse_circles",
    "refuse_gaps",
    "refuse_gates",
    "refuse_reserved",
    "refuse_reserved_action",
    "refuse_slow_patterns",
    "refuse_unknown_children",
    "store",
    "warnings_now",
]

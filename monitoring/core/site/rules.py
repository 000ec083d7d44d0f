"""The rules that tell of what is wrong with the site, one for each code, and which alert another one explains. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from monitoring.core.alerting import SITE, Rule
from monitoring.core.site import troubles

LASTING = {"engine_unreachable": 5.0, "broker_down": 25.0, "relay_behind": 5.0}
"""Seconds that these have to be there: at two looks at least."""

SITE_RULES: tuple[Rule, ...] = tuple(
    Rule(name=code, source=SITE, severity=least, codes={code: least}, for_s=LASTING.get(code, 0.0))
    for code, least in troubles.CODES.items()
)

EXPLAINS: Mapping[str, Mapping[str, str]] = {
    "engine_unreachable": dict.fromkeys(("run_stuck", "approval_late", "relay_behind"), "engine"),
    "no_worker": {
        "run_stuck": "engine", "relay_behind": "engine", "monitoring_behind": "", "notices_undelivered": "",
    },
    "target_failing": {"run_failed": "target", "run_blocked": "target", "saga_failing": "saga_id"},
    "monitoring_behind": {"saga_silent": ""},
}  # fmt: skip
"""{rule: {the rule it explains: the label that both have to share, '' for none}}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A firing alert, as far as it explains others or is explained."""

    pk: int
    rule: str
    labels: Mapping[str, str] = field(default_factory=dict)


def explained_by(alert: Labelled, firing: Iterable[Labelled]) -> int | None:
    """The first of the firing alerts that explains this one; None if it stands for itself."""
    for other in firing:
        label = EXPLAINS.get(other.rule, {}).get(alert.rule)
        if label is None or other.pk == alert.pk:
            continue
        if not label or (alert.labels.get(label) and alert.labels.get(label) == other.labels.get(label)):
            return other.pk
    return None

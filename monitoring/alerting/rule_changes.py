"""What administrators change of a rule: whether it is in force, whom it tells, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foundation import audit
from foundation.clock import database_now
from foundation.db import statements
from foundation.errors import BadInput, NotFound
from foundation.identity import permissions
from foundation.identity.actor import Actor
from monitoring.alerting.acts import CHAIN
from monitoring.alerting.rules import all_rules
from monitoring.alerting.telling import close
from monitoring.core.enums import HealthStatus
from monitoring.models import Alert, AlertRule, RunHealth
from orchestration.core.likeness import nearest
from orchestration.runs.start_inputs import check_channels

DAY = 86_400.0
BOUNDS: Mapping[str, tuple[float, float]] = {
    "for_s": (0.0, DAY), "resolve_after_s": (10.0, DAY), "repeat_s": (60.0, 30 * DAY),
}  # fmt: skip
"""Seconds, from and to."""

FIELDS = ("enabled", "channels", *BOUNDS)


def rule_by_name(name: str) -> AlertRule:
    """The rule.

    Raises:
        NotFound: there is none; the error names what is near.
    """
    found = all_rules()
    if name not in found:
        near = nearest(name, found)
        remedy = f"did you mean {near}?" if near else f"the rules: {', '.join(sorted(found))}"
        raise NotFound(f"there is no rule '{name[:80]}'", field="name", remedy=remedy)
    return found[name]


def change_rule(name: str, changes: Mapping[str, Any], *, actor: Actor) -> AlertRule:
    """Change a rule; returns it. What is so already is no change.

    A rule that is switched off closes its alerts; one that is switched on tells of what is so, within seconds.

    `changes`: enabled (true, false), channels (20 names at most; [] for the operators), for_s, resolve_after_s and
    repeat_s (seconds): how long a trouble has to be there, how long gone, and when it is told again.

    Raises:
        NotAllowed: the actor may not change rules.
        NotFound: there is no such rule.
        BadInput: an unknown field, or a value that is not one of it.
    """
    permissions.require(actor, "alert.manage")
    rule = rule_by_name(name)
    checked = {field: _checked(field, value) for field, value in changes.items()}
    fresh = {field: value for field, value in checked.items() if getattr(rule, field) != value}
    if not fresh:
        return rule
    before = {field: getattr(rule, field) for field in fresh}
    with statements.writing():
        AlertRule.objects.filter(pk=rule.pk).update(**fresh)
        audit.record(actor=actor, action="alert.rule", workflow_id=CHAIN, rule=name, before=before, after=fresh)
        if fresh.get("enabled") is False:
            for alert in Alert.objects.filter(rule=rule, state=Alert.FIRING).select_related("rule"):
                close(alert, database_now(), by=actor.name, note="its rule was switched off")
        elif {"enabled", "for_s"} & fresh.keys():
            _look_at_troubled()
    return rule_by_name(name)


def _look_at_troubled() -> None:
    """Runs in trouble are judged anew, so that the rule tells of what is so already and would not be looked at soon."""
    troubled = RunHealth.objects.filter(ended=False).exclude(status=HealthStatus.HEALTHY)
    troubled.update(look_at=database_now())


def _checked(field: str, value: Any) -> Any:
    if field == "enabled":
        if not isinstance(value, bool):
            raise BadInput(f"enabled is {value!r}"[:200], field=field, remedy="true or false")
        return value
    if field == "channels":
        check_channels(value, field=field)
        return list(dict.fromkeys(value))
    if field not in BOUNDS:
        raise BadInput(f"'{field[:80]}' cannot be changed", field=field, remedy=f"one of: {', '.join(FIELDS)}")
    least, most = BOUNDS[field]
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise BadInput(f"{field} is {value!r}"[:200], field=field, remedy=f"seconds, {least:g} to {most:g}")
    return float(value)

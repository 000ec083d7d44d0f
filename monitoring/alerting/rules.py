"""The rules in force: those that came with Zen, as an administrator has changed them."""

from __future__ import annotations

from monitoring.core.alerting import SHIPPED, Rule
from monitoring.core.enums import HealthStatus
from monitoring.core.site.rules import SITE_RULES
from monitoring.core.site.sagas import SAGA_RULES
from monitoring.models import AlertRule


def rules() -> dict[str, tuple[AlertRule, Rule]]:
    """{name: the row, the rule}; those that are switched off are left out."""
    return {name: (row, _rule(row)) for name, row in all_rules().items() if row.enabled}


def all_rules() -> dict[str, AlertRule]:
    """{name: the row}. Shipped ones that are missing are made."""
    rows = {row.name: row for row in AlertRule.objects.all()}
    missing = [rule for rule in (*SHIPPED, *SITE_RULES, *SAGA_RULES) if rule.name not in rows]
    if missing:
        AlertRule.objects.bulk_create([_row(rule) for rule in missing], ignore_conflicts=True)
        rows = {row.name: row for row in AlertRule.objects.all()}
    return rows


def _row(rule: Rule) -> AlertRule:
    return AlertRule(
        name=rule.name, codes={code: least.value for code, least in rule.codes.items()}, severity=rule.severity.value,
        for_s=rule.for_s, resolve_after_s=rule.resolve_after_s, repeat_s=rule.repeat_s, source=rule.source,
        shipped=True,
    )  # fmt: skip


def _rule(row: AlertRule) -> Rule:
    return Rule(
        name=row.name, codes={code: HealthStatus(least) for code, least in row.codes.items()},
        severity=HealthStatus(row.severity), for_s=row.for_s, resolve_after_s=row.resolve_after_s,
        repeat_s=row.repeat_s, source=row.source, channels=tuple(row.channels),
    )  # fmt: skip

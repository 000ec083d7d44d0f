"""Alerts, silences and recovery in the admin: looked at here, and changed by services alone.

`overview` is the first page, to which `sidebar` leads. `alerts` has the list, whose actions acknowledge, and the page
of one alert with its runs, its history and what can be done, `alert_runs` to all of its runs; `rules` its rules;
`silences` the list of silences, which can be ended; `policies` the recovery policies, with the page (`policy_form`) on
which a draft is tried and published; `attempts` what recovery has done. What a role may not do is not offered.
Imported by Django's admin when it starts.
"""

from monitoring.admin.alerts import AlertAdmin
from monitoring.admin.attempts import RecoveryAttemptAdmin
from monitoring.admin.policies import PolicyVersionAdmin
from monitoring.admin.rules import AlertRuleAdmin
from monitoring.admin.silences import SilenceAdmin

__all__ = ["AlertAdmin", "AlertRuleAdmin", "PolicyVersionAdmin", "RecoveryAttemptAdmin", "SilenceAdmin"]

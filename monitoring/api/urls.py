from django.urls import path

from monitoring.api import views, views_alerts, views_attempts, views_recovery, views_rules, views_series, views_trials
from orchestration.api import urls as _  # noqa: F401 - the converters

ALERT = "alerts/<version:alert_id>/"
POLICY = "recovery/policies/<workflow_id:policy_id>/"

urlpatterns = [
    path("monitoring/dashboard/", views.MonitoringDashboard.as_view(), name="api-monitoring-dashboard"),
    path("monitoring/runs/", views.MonitoringRuns.as_view(), name="api-monitoring-runs"),
    path("monitoring/series/", views_series.MonitoringSeries.as_view(), name="api-monitoring-series"),
    path("monitoring/norms/", views.MonitoringNorms.as_view(), name="api-monitoring-norms"),
    path("alerts/", views_alerts.Alerts.as_view(), name="api-alerts"),
    path(ALERT, views_alerts.AlertDetail.as_view(), name="api-alert"),
    path(f"{ALERT}members/", views_alerts.AlertMembers.as_view(), name="api-alert-members"),
    path(f"{ALERT}ack/", views_alerts.AlertAck.as_view(), name="api-alert-ack"),
    path(f"{ALERT}unack/", views_alerts.AlertUnack.as_view(), name="api-alert-unack"),
    path(f"{ALERT}resolve/", views_alerts.AlertResolve.as_view(), name="api-alert-resolve"),
    path(f"{ALERT}act/", views_alerts.AlertAct.as_view(), name="api-alert-act"),
    path("alert-rules/", views_rules.AlertRules.as_view(), name="api-alert-rules"),
    path("alert-rules/<workflow_id:name>/", views_rules.AlertRuleDetail.as_view(), name="api-alert-rule"),
    path("silences/", views_alerts.Silences.as_view(), name="api-silences"),
    path("silences/<version:silence_id>/end/", views_alerts.SilenceEnd.as_view(), name="api-silence-end"),
    path("recovery/policies/", views_recovery.RecoveryPolicies.as_view(), name="api-recovery-policies"),
    path("recovery/dry-run/", views_trials.RecoveryDryRun.as_view(), name="api-recovery-dry-run"),
    path("recovery/backtest/", views_trials.RecoveryBackTest.as_view(), name="api-recovery-backtest"),
    path("jobs/<version:job_id>/", views_trials.JobDetail.as_view(), name="api-job"),
    path(POLICY, views_recovery.RecoveryPolicyDetail.as_view(), name="api-recovery-policy"),
    path(f"{POLICY}mode/", views_recovery.RecoveryPolicyMode.as_view(), name="api-recovery-policy-mode"),
    path("recovery/attempts/", views_attempts.RecoveryAttempts.as_view(), name="api-recovery-attempts"),
    path("recovery/stop/", views_attempts.RecoveryStop.as_view(), name="api-recovery-stop"),
    path("recovery/start/", views_attempts.RecoveryStart.as_view(), name="api-recovery-start"),
    path("runs/<workflow_id:workflow_id>/recover/", views_attempts.RunRecover.as_view(), name="api-run-recover"),
    path("runs/<workflow_id:workflow_id>/health/", views.RunHealthNow.as_view(), name="api-run-health"),
]

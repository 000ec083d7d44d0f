"""What monitoring keeps of its own.

`RunHealth`: how each run does, with the moment at which to look again; `Norm`: what is usual; `Loop`: what runs again
and again, who has it now, and how late it is. All of it can be made anew from the runs: losing it harms no run.
`Alert`, with its members and notes, is what was told of a group of runs; `AlertRule` says of what; `Silence` of what
not. `PolicyVersion` is a recovery policy as published; `RecoveryAttempt` what recovery decides and does about a run;
`Circuit`, `Storm` and `RecoverySwitch` keep it from doing too much. `Series` and `Point` are metrics over time; `Job`
is work that takes longer than a request. Written by `watch`, `alerting`, `recovery`, `performing` and `metrics`
alone; read by `queries` and the doors.
"""

from monitoring.models.alerts import Alert, AlertMember, AlertNote, AlertRule, Silence
from monitoring.models.health import Loop, Norm, RunHealth
from monitoring.models.jobs import Job
from monitoring.models.metrics import Point, Series
from monitoring.models.policies import PolicyVersion
from monitoring.models.recovery import Circuit, RecoveryAttempt, RecoverySwitch, Storm

__all__ = [
    "Alert",
    "AlertMember",
    "AlertNote",
    "AlertRule",
    "Circuit",
    "Job",
    "Loop",
    "Norm",
    "Point",
    "PolicyVersion",
    "RecoveryAttempt",
    "RecoverySwitch",
    "RunHealth",
    "Series",
    "Silence",
    "Storm",
]

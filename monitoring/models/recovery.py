"""What recovery does: its attempts, and what keeps it from doing too much."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from orchestration.models import Run


class RecoveryAttempt(models.Model):
    """One attempt to mend a run, from its decision to its verdict. At most one of a run is open.

    `policy_id`: '' by hand; `version_id`: the PolicyVersion that decided it; `actor`, `by`: who, {"door", "user_id",
    "owner", "owner_id"}. `number` of `of`: in the policy's budget; 0: people were told, and nothing was done.
    `rung`: its place in the policy's ladder. `chain`: the first run of a chain of restarts, whose budget it is; 0: it
    was reset and counts no more. `acts`: [{"verb", "step_id", "cause"}]. `issue`, `step_id`, `target`: what it is
    about; `reason`: its sentence.
    `facts`: what decided it. `waits`: what it waits for, in words, and `brake`: which brake that is. `lease_until`:
    nobody touches it before. `audit_seq`: how far the run's audit had come when it was decided or acted. `exhausted`:
    the policy has nothing left on this run. `storm`: it was sent by the pace of a storm, outside of the hour's budgets.
    """

    DECIDED, AWAITING, ACTING, WATCHING = "decided", "awaiting_approval", "acting", "watching"
    WORKED, FAILED, NO_EFFECT = "worked", "failed", "no_effect"
    REFUSED, REJECTED, OVERTAKEN, SHADOW = "refused", "rejected", "overtaken", "shadow"
    OPEN = (DECIDED, AWAITING, ACTING, WATCHING)
    ENDS = (WORKED, FAILED, NO_EFFECT, REFUSED, REJECTED, OVERTAKEN, SHADOW)

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="recoveries", db_constraint=False)
    chain = models.BigIntegerField()
    policy_id = models.CharField(max_length=100, blank=True, default="")
    version_id = models.BigIntegerField(default=0)
    number = models.PositiveIntegerField(default=0)
    of = models.PositiveIntegerField(default=0)
    rung = models.PositiveIntegerField(null=True, blank=True)
    action = models.CharField(max_length=10)
    acts = models.JSONField(default=list)
    issue = models.CharField(max_length=30, blank=True, default="")
    step_id = models.CharField(max_length=100, blank=True, default="")
    target = models.CharField(max_length=100, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    facts = models.JSONField(default=list)
    run_version = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=20, choices=[(one, one.replace("_", " ")) for one in (*OPEN, *ENDS)])
    waits = models.TextField(blank=True, default="")
    brake = models.CharField(max_length=10, blank=True, default="")
    approval = models.CharField(max_length=200, blank=True, default="")
    actor = models.CharField(max_length=150)
    by = models.JSONField(default=dict)
    storm = models.BooleanField(default=False)
    audit_seq = models.PositiveBigIntegerField(default=0)
    decided_at = models.DateTimeField()
    acted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    verify_until = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    verdict = models.TextField(blank=True, default="")
    exhausted = models.BooleanField(default=False)
    new_workflow_id = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["run"], condition=Q(state__in=["decided", "awaiting_approval", "acting", "watching"]),
                name="one_open_attempt_of_a_run",
            ),
            models.UniqueConstraint(
                fields=["chain", "policy_id", "number"],
                condition=Q(number__gt=0, chain__gt=0) & ~Q(policy_id="") & ~Q(state__in=["overtaken", "shadow"]),
                name="one_attempt_of_a_number",
            ),
            models.UniqueConstraint(
                fields=["chain", "policy_id", "action"], condition=Q(number=0, chain__gt=0) & ~Q(policy_id=""),
                name="told_once_of_a_run",
            ),
        ]  # fmt: skip
        indexes = [
            # the tick: what is to be done now
            models.Index(
                fields=["lease_until"], condition=Q(state__in=["decided", "awaiting_approval", "acting", "watching"]),
                name="attempt_due",
            ),
            # a storm: what waits at a target, and what is in hand there
            models.Index(
                fields=["target", "state"], condition=Q(state__in=["decided", "acting", "watching"]),
                name="attempt_of_target",
            ),
            # the budgets of an hour
            models.Index(fields=["policy_id", "acted_at"], name="attempt_of_policy"),
            models.Index(fields=["acted_at"], condition=Q(acted_at__isnull=False), name="attempt_acted"),
            # which attempt began a run
            models.Index(fields=["new_workflow_id"], condition=~Q(new_workflow_id=""), name="attempt_of_new_run"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"attempt {self.pk}: {self.action} {self.step_id}".rstrip()


class Circuit(models.Model):
    """Whether a policy may do an action at a target (`core.recovery.brakes`). `key`: policy:target:action."""

    key = models.CharField(max_length=220, unique=True)
    results = models.JSONField(default=list)
    open_until = models.DateTimeField(null=True, blank=True)
    opened = models.PositiveIntegerField(default=0)
    trying = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class Storm(models.Model):
    """Many runs fail at a target, and recovery tries one at a time (`core.recovery.storm`). Gone once it is over."""

    target = models.CharField(max_length=100, primary_key=True)
    ramp = models.PositiveIntegerField(default=1)
    sent = models.PositiveIntegerField(default=0)
    worked = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    began = models.DateTimeField()
    next_at = models.DateTimeField()
    last_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.target


class RecoverySwitch(models.Model):
    """That somebody has stopped recovery on the whole site. One row at most."""

    stopped_by = models.CharField(max_length=150)
    stopped_at = models.DateTimeField()
    note = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return f"stopped by {self.stopped_by}"

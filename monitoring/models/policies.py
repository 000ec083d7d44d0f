"""Recovery policies as they were published."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from monitoring.core.policy import Mode

MODES = [(one.value, one.value) for one in Mode]


class PolicyVersion(models.Model):
    """A version of a recovery policy; the current one is in force. `body`: its fields without the mode, as JSON.

    `hash`: of the body; the same body is the same version. `current` is false of all versions of a policy that was
    removed. `shipped`: came with Zen. `changed_at`: it was published or switched last.
    """

    policy_id = models.CharField(max_length=60)
    version = models.PositiveIntegerField(default=0)
    hash = models.CharField(max_length=64)
    body = models.JSONField()
    mode = models.CharField(max_length=6, choices=MODES)
    current = models.BooleanField(default=True)
    shipped = models.BooleanField(default=False)
    published_by = models.CharField(max_length=150, blank=True, default="")
    published_by_id = models.BigIntegerField(null=True, blank=True)
    published_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["policy_id", "-version"]
        verbose_name = "recovery policy"
        verbose_name_plural = "recovery policies"
        constraints = [
            models.UniqueConstraint(fields=["policy_id", "version"], name="one_policy_version"),
            models.UniqueConstraint(fields=["policy_id", "hash"], name="one_version_of_a_body"),
            models.UniqueConstraint(fields=["policy_id"], condition=Q(current=True), name="one_current_version"),
        ]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.version}"

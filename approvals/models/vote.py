from __future__ import annotations

from django.conf import settings
from django.db import models

from approvals.core.enums import Choice
from approvals.models.request import Request

CHOICES = [(choice.value, choice.value) for choice in Choice]


class Delegation(models.Model):
    """Another account decides for one that is away, from a time to a time. A delegate cannot delegate again."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="delegations")
    to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="delegations_to")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    policies = models.JSONField(default=list, help_text="the policies it is for; empty means all")
    reason = models.CharField(max_length=300, blank=True)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="taken back before its end")
    told_at = models.DateTimeField(null=True, blank=True, help_text="when `to` heard what was open as it began")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="delegation_has_length"),
            models.CheckConstraint(condition=~models.Q(owner=models.F("to")), name="delegation_to_another"),
        ]

    def __str__(self) -> str:
        return f"{self.owner} → {self.to}"

    def covers(self, policy: str) -> bool:
        """Whether it is for requests of this policy, by its name."""
        return not self.policies or policy in self.policies


class Vote(models.Model):
    """One person's decision. `content_hash`: of what it is to, edits included. `strength`: how they were known."""

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="votes")
    round = models.PositiveIntegerField()
    stage = models.CharField(max_length=100)
    person = models.CharField(max_length=300)
    name = models.CharField(max_length=300)
    owner = models.CharField(max_length=300, help_text="on whose behalf; the person itself otherwise")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="votes"
    )
    delegation = models.ForeignKey(Delegation, on_delete=models.PROTECT, null=True, blank=True, related_name="votes")
    choice = models.CharField(max_length=20, choices=CHOICES)
    comment = models.TextField(blank=True)
    edits = models.JSONField(default=dict)
    answers = models.JSONField(default=dict, help_text="to the stage's form")
    content_hash = models.CharField(max_length=64)
    door = models.CharField(max_length=20)
    strength = models.CharField(max_length=20, blank=True)
    evidence = models.JSONField(default=dict, help_text="address and client, as far as the door knows them")
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "round", "person"], name="one_vote_per_person_and_round")
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.choice}"


class Remark(models.Model):
    """A question, an answer or a comment beside the votes."""

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="remarks")
    kind = models.CharField(max_length=20)
    person = models.CharField(max_length=300)
    name = models.CharField(max_length=300)
    text = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.name}: {self.text[:40]}"

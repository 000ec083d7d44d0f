from __future__ import annotations

import uuid

from django.db import models

from approvals.models.request import Request


class Link(models.Model):
    """One person's link to one question, in one round. Only the hash of its token is kept, and it is used once.

    Whoever has the link has this person's vote, so a vote by it says so (`strength`: link).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="links")
    round = models.PositiveIntegerField()
    stage = models.PositiveIntegerField()
    person = models.CharField(max_length=300)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="a reminder renews it")
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "round", "stage", "person"], name="one_link_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.person} for {self.request_id}"

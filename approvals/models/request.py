from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F

from approvals.core.enums import Status
from approvals.models.policy import Policy
from notifications.models.webhook import Endpoint
from orchestration.models import Run

WORDS = [(word.value, word.value.replace("_", " ")) for word in Status]


class Request(models.Model):
    """A question to people, and its chain. `request_id` is the handle of its run as well.

    `plan`, `people`: the policy's stages and who they came to, frozen. `state`: the flow's, whole. `content`: exactly
    what is asked; `content_hash` its SHA-256, which the grant is bound to. `edits`: what deciders changed with their
    yes; `shown_hash`: of the content with them, which the next one sees and a vote is bound to. `facts`: computed by
    the control plane, never the requester's words.
    """

    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="approval")
    request_id = models.CharField(max_length=200, unique=True)
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="requests")
    about = models.CharField(max_length=200, blank=True, db_index=True, help_text="the workflow it belongs to")
    step_id = models.CharField(max_length=100, blank=True, default="")
    stage = models.CharField(max_length=100, help_text="what kind of decision it is, in a word")
    title = models.CharField(max_length=300)
    content = models.JSONField()
    content_hash = models.CharField(max_length=64)
    shown_hash = models.CharField(max_length=64)
    earlier = models.JSONField(default=list, help_text="the content of earlier rounds")
    facts = models.JSONField(default=dict)
    edits = models.JSONField(default=dict)
    plan = models.JSONField()
    people = models.JSONField(help_text="person id: name, e-mail and account as they were")
    named = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="what the policy names, no group: its person ids"
    )
    groups = models.JSONField(default=dict, db_default={}, blank=True, help_text="name then: id of the group")
    state = models.JSONField()
    status = models.CharField(max_length=20, choices=WORDS, default=Status.PENDING)
    round = models.PositiveIntegerField(default=1)
    requester = models.CharField(max_length=150)
    requester_person = models.CharField(max_length=300, blank=True, default="", help_text="user:7 of the account")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True, help_text="the next time that a clock does something")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=300, blank=True, default="")
    rescue_to_tell = models.DateTimeField(
        null=True, blank=True, help_text="since when administrators are to be told, with others, that it needs them"
    )
    words = models.CharField(max_length=200, blank=True, default="", help_text="how it ended, in a few words")
    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.PROTECT, null=True, blank=True, related_name="requests", help_text="is called back"
    )
    spent_by = models.CharField(max_length=400, blank=True, default="", help_text="the effect that used the yes")
    spent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            # the lists of a status
            models.Index(fields=["status", "expires_at"], name="request_by_urgency"),
            # what administrators are to be told together
            models.Index(
                fields=["rescue_to_tell"],
                condition=models.Q(rescue_to_tell__isnull=False),
                name="request_rescue_to_tell",
            ),
            # what has been decided, the latest first
            models.Index(
                F("decided_at").desc(),
                F("id").desc(),
                condition=models.Q(decided_at__isnull=False),
                name="request_by_decision",
            ),
        ]

    def __str__(self) -> str:
        return self.request_id


class Seat(models.Model):
    """Who may decide now: the open seats of the flow's state, as rows that can be searched."""

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="seats")
    person = models.CharField(max_length=300)
    owner = models.CharField(max_length=300)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="seats"
    )
    waits = models.BooleanField(default=True, help_text="this person has not decided yet; in one seat of a request")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="the request's")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "person", "owner"], name="one_seat_per_person")]
        indexes = [
            # the inbox of one account, the most urgent first
            models.Index(
                fields=["user", "expires_at", "request"], condition=models.Q(waits=True), name="seat_by_urgency"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} at {self.request_id}"


class Link(models.Model):
    """One person's link to one question, in one round. Only the hash of its token is kept, and it is used once.

    Anyone who has the link can give this person's vote, so the vote says that it came by a link (`strength`).
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


def subject_of(request: Request) -> str:
    """What its notices have as their subject."""
    return f"approval:{request.pk}"

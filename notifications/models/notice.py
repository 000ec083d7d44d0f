from __future__ import annotations

from django.conf import settings
from django.db import models

from foundation.outbox.model import OutboxRow
from notifications.models.channel import Channel


class Notice(models.Model):
    """Something that was told: what, about which subject. `dedupe`: told once, however often it is asked for."""

    subject = models.CharField(max_length=200, help_text="what it is about, such as approval:17")
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=300)
    text = models.TextField(blank=True, default="", help_text="Markdown")
    url = models.CharField(max_length=2000, blank=True, default="")
    buttons = models.JSONField(default=list, blank=True)
    urgent = models.BooleanField(default=False)
    dedupe = models.CharField(max_length=250, unique=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            # settle, the cap, and the list of what a subject has told
            models.Index(fields=["subject", "id"], name="notice_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.kind}"


class Delivery(OutboxRow):
    """A notice on its way to one person, or to one channel.

    status: queued (due at `due_at`), sending (claimed until `lease_until`), sent, dead, cancelled, and coalesced: it
    travels inside another one (`into`) and ends as that one does. `epoch` fences a claim.
    `rest`: the person's next channels, for when this one is dead. `updates`: not a message of its own, but a change of
    one that was sent. `heard`: the listeners were called.
    """

    SENT, CANCELLED, COALESCED = "sent", "cancelled", "coalesced"
    STATUSES = [(word, word) for word in ("queued", "sending", SENT, "dead", CANCELLED, COALESCED)]

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, null=True, blank=True, related_name="deliveries")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="deliveries"
    )
    person_key = models.CharField(max_length=330, blank=True, default="", help_text="'' when it is for a channel")
    person_name = models.CharField(max_length=200, blank=True, default="")
    address = models.CharField(max_length=320, blank=True, default="", help_text="the person's; '' = the channel's")
    url = models.CharField(max_length=2000, blank=True, default="", help_text="this person's own link")
    status = models.CharField(max_length=10, choices=STATUSES, default=OutboxRow.QUEUED)
    urgent = models.BooleanField(default=False)
    rest = models.JSONField(default=list, blank=True)
    until = models.DateTimeField(null=True, blank=True, help_text="an answer is wanted by then: no night is waited for")
    into = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="carried")
    updates = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="changes", db_index=False
    )
    reference = models.JSONField(default=dict, blank=True, help_text="what the service calls the message")
    error = models.CharField(max_length=600, blank=True, default="")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    heard = models.BooleanField(default=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["notice", "person_key", "channel"],
                condition=models.Q(updates=None),
                name="one_delivery_per_person_and_channel",
            ),
            models.UniqueConstraint(
                fields=["notice", "updates"],
                condition=models.Q(updates__isnull=False),
                name="one_change_per_message",
            ),
        ]
        indexes = [
            # the claim: what is due, and what a lost worker had in hand
            models.Index(fields=["due_at", "id"], condition=models.Q(status="queued"), name="delivery_to_send"),
            models.Index(fields=["lease_until"], condition=models.Q(status="sending"), name="delivery_in_hand"),
            # what else waits for, or has just gone to, the same person
            models.Index(fields=["person_key", "status", "sent_at"], name="delivery_to_person"),
            # the changes of a message; whole, SQLite would look for everything else under its NULLs
            models.Index(fields=["updates"], condition=models.Q(updates__isnull=False), name="delivery_changes"),
            # ends that no listener has heard of yet
            models.Index(fields=["ended_at"], condition=models.Q(heard=False), name="delivery_unheard"),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id}: {self.person_name or self.channel_id} {self.status}"

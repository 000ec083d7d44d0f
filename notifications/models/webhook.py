from __future__ import annotations

from django.db import models

from foundation.outbox.model import OutboxRow

LABEL = "approvals"
"""The app that these tables were made in keeps their migrations, names, permissions and admin addresses (ADR 10)."""


class Endpoint(models.Model):
    """Where an owner wants to be called back. Its secrets are encrypted; only the public key stands open.

    `previous_…`: what was valid before a rotation, and signs beside the new one until `previous_until`.
    """

    url = models.CharField(max_length=1000)
    owner = models.CharField(max_length=150)
    hmac_secret = models.TextField(blank=True, default="")
    ed25519_secret = models.TextField(blank=True, default="")
    public_key = models.CharField(max_length=100, blank=True, default="")
    previous_hmac_secret = models.TextField(blank=True, default="")
    previous_ed25519_secret = models.TextField(blank=True, default="")
    previous_until = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=500, blank=True, default="")
    created_by = models.CharField(max_length=150, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    shown_once = ""
    """The HMAC secret in plain text, on the object that `endpoint_for` or `rotate` has just made it for."""

    class Meta:
        app_label = LABEL
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["url", "owner"], name="one_endpoint_per_url_and_owner")]

    def __str__(self) -> str:
        return f"{self.owner}: {self.url}"


class Callback(OutboxRow):
    """One message for an endpoint, kept until it is delivered or dead.

    status: queued (due at `due_at`), sending (claimed until `lease_until`), delivered, dead, cancelled.
    `payload` is the text that is sent, byte for byte. `epoch` fences a claim: an end under an older one is refused.
    """

    DELIVERED, CANCELLED = "delivered", "cancelled"
    STATUSES = [(word, word) for word in ("queued", "sending", DELIVERED, "dead", CANCELLED)]

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="callbacks")
    webhook_id = models.CharField(max_length=64, unique=True, help_text="the same for every attempt")
    event_type = models.CharField(max_length=100)
    subject = models.CharField(max_length=200, help_text="what it is about, such as approval:17")
    sequence = models.PositiveBigIntegerField(
        help_text="rising with each callback about the subject: microseconds since 1970, or the last one and one more"
    )
    payload = models.TextField()
    status = models.CharField(max_length=10, choices=STATUSES, default=OutboxRow.QUEUED)
    last_status = models.PositiveIntegerField(null=True, blank=True, help_text="of the last HTTP answer")
    last_error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = LABEL
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["subject", "sequence"], name="one_callback_per_sequence")]
        indexes = [
            # the claim: what is due, and what a lost worker had in hand
            models.Index(fields=["due_at"], condition=models.Q(status="queued"), name="callback_to_send"),
            models.Index(fields=["lease_until"], condition=models.Q(status="sending"), name="callback_in_hand"),
        ]

    def __str__(self) -> str:
        return f"{self.webhook_id} {self.event_type} {self.status}"

"""The fields that every kind of row in an outbox has."""

from __future__ import annotations

from django.db import models


class OutboxRow(models.Model):
    """`status` is the kind's own field, and has at least these words.

    queued: due at `due_at`; sending: claimed until `lease_until`; dead: no worker tries it any more. `attempts` counts
    claims, `epoch` is the number of the claim (fencing).
    """

    QUEUED, SENDING, DEAD = "queued", "sending", "dead"

    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    epoch = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

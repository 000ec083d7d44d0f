"""The audit's tables (docs/reference/audit.md)."""

from __future__ import annotations

from django.db import models

from foundation.canonical_json import OWN, Link, canonical, moment, sha256
from foundation.models.label import LABEL


class AuditEvent(models.Model):
    """Who did what, when, through which door. Written in the transaction of the act; the database refuses changes.

    The rows of a `workflow_id` are a chain (those of none are the chain ''): each holds the hash of the one before.
    """

    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=150)
    door = models.CharField(max_length=20, help_text="console, api, admin, python, engine")
    action = models.CharField(max_length=60, help_text="a dotted name, such as run.start or run.abort")
    workflow_id = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    seq = models.PositiveIntegerField(help_text="its number in its chain, from 1")
    prev_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)
    hash_version = models.PositiveSmallIntegerField(
        default=OWN, db_default=OWN, help_text="1: Zen's own canonical JSON, 2: RFC 8785"
    )

    class Meta:
        app_label = LABEL
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["workflow_id", "seq"], name="one_audit_row_per_seq")]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.workflow_id}"

    def link(self) -> Link:
        """The row as its hash covers it."""
        return Link(
            chain=self.workflow_id,
            seq=self.seq,
            at=self.at,
            actor=self.actor,
            door=self.door,
            action=self.action,
            note=self.note,
            data=self.data,
            prev_hash=self.prev_hash,
            hash_version=self.hash_version,
        )


class AuditSeal(models.Model):
    """A signed statement of how far every chain had come. Each names the one before; `digest` covers its heads."""

    number = models.PositiveIntegerField(primary_key=True)
    at = models.DateTimeField()
    rows = models.PositiveBigIntegerField(help_text="audit rows there were, all chains together")
    chains = models.PositiveBigIntegerField(help_text="chains there were")
    moved = models.PositiveBigIntegerField(help_text="chains that grew since the seal before: its heads")
    digest = models.CharField(max_length=64)
    prev_hash = models.CharField(max_length=64, blank=True)
    key_id = models.CharField(max_length=16)
    hash = models.CharField(max_length=64)
    signature = models.CharField(max_length=100)

    class Meta:
        app_label = LABEL
        ordering = ["number"]

    def __str__(self) -> str:
        return f"seal {self.number}"

    def as_dict(self) -> dict[str, object]:
        """What its hash covers."""
        return {
            "number": self.number,
            "at": moment(self.at),
            "rows": self.rows,
            "chains": self.chains,
            "moved": self.moved,
            "digest": self.digest,
            "prev_hash": self.prev_hash,
            "key_id": self.key_id,
        }

    def expected_hash(self) -> str:
        """The hash that its content gives."""
        return sha256(canonical(self.as_dict()))

    def signed_bytes(self) -> bytes:
        """The message that is signed. Its first words keep it apart from other messages under the same key."""
        return f"zen audit seal {self.hash}".encode()


class SealedHead(models.Model):
    """The last row of a chain that grew since the seal before. Heads are stored in pages before their seal is."""

    seal = models.ForeignKey(
        AuditSeal, on_delete=models.PROTECT, related_name="heads", db_index=False, db_constraint=False
    )
    chain = models.CharField(max_length=200, blank=True)
    seq = models.PositiveIntegerField()
    hash = models.CharField(max_length=64)

    class Meta:
        app_label = LABEL
        constraints = [
            # also the search for the latest head of a chain
            models.UniqueConstraint(fields=["chain", "seal"], name="one_head_per_chain_and_seal"),
        ]
        indexes = [
            # the digest of a seal
            models.Index(fields=["seal"], name="heads_of_a_seal"),
        ]

    def __str__(self) -> str:
        return f"{self.chain}#{self.seq}"


class SealInHand(models.Model):
    """The one seal that is being made: by which process, since when, and until when its lease lasts."""

    number = models.PositiveIntegerField(primary_key=True)
    maker = models.CharField(max_length=32)
    began_at = models.DateTimeField(help_text="all that was there by then is in the seal")
    lease_until = models.DateTimeField()

    class Meta:
        app_label = LABEL

    def __str__(self) -> str:
        return f"seal {self.number} in hand"

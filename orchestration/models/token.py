from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models

START = "zen"


class ApiToken(models.Model):
    """A bearer token of a user. Only the SHA-256 of the secret is kept; the prefix finds the row."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, blank=True)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{START}_{self.prefix}_…"

    @classmethod
    def issue(cls, user: Any, *, name: str = "", expires_at: datetime | None = None) -> tuple[ApiToken, str]:
        """The row, and the token itself, which is shown once and never stored."""
        prefix, secret = secrets.token_hex(6), secrets.token_hex(24)
        row = cls.objects.create(user=user, name=name, prefix=prefix, digest=digest_of(secret), expires_at=expires_at)
        return row, f"{START}_{prefix}_{secret}"


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

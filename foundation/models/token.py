"""API tokens. Only the hash of a secret is stored."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models

from foundation.errors import BadInput
from foundation.identity.permissions import AGENTS_NEVER, MAY
from foundation.models.label import LABEL

START = "zen"
SCOPES = tuple(MAY)


class ApiToken(models.Model):
    """A bearer token of a user. Only the SHA-256 of the secret is kept; the prefix finds the row."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, blank=True)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    scopes = models.JSONField(default=list, blank=True, help_text="what it is good for; empty: all that its user may")
    agent = models.BooleanField(default=False, help_text="of a program that acts by itself: it never decides")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="agent_tokens",
        help_text="whose agent it is: they decide nothing that it asks for",
    )  # fmt: skip

    class Meta:
        app_label = LABEL
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{START}_{self.prefix}_…"

    @classmethod
    def issue(
        cls, user: Any, *, name: str = "", expires_at: datetime | None = None, scopes: Iterable[str] = (),
        agent: bool = False, owner: Any = None,
    ) -> tuple[ApiToken, str]:  # fmt: skip
        """The row, and the token itself, which is shown once and never stored. Raises BadInput."""
        wanted = sorted(set(scopes))
        strange = [scope for scope in wanted if scope not in SCOPES]
        if strange:
            raise BadInput(f"'{strange[0]}' is not a scope", field="scopes", remedy=f"one of: {', '.join(SCOPES)}")
        if agent and (never := sorted(AGENTS_NEVER & set(wanted))):
            raise BadInput(
                "an agent cannot decide, nor say who or what decides, nor end a run with nothing undone",
                field="scopes", remedy=f"leave {', '.join(never)} out",
            )  # fmt: skip
        if owner is not None and not agent:
            raise BadInput("only an agent has an owner", field="owner", remedy="make it a token of an agent")
        prefix, secret = secrets.token_hex(6), secrets.token_hex(24)
        row = cls.objects.create(
            user=user, name=name, prefix=prefix, digest=digest_of(secret), expires_at=expires_at, scopes=wanted,
            agent=agent, owner=owner,
        )  # fmt: skip
        return row, f"{START}_{prefix}_{secret}"

    def allowed(self) -> frozenset[str] | None:
        """What it is good for; None is all that its user may. An agent's never decides, whatever the row says."""
        if not self.scopes and not self.agent:
            return None
        return frozenset(self.scopes or SCOPES) - (AGENTS_NEVER if self.agent else set())


def digest_of(secret: str) -> str:
    """The SHA-256 of a token's secret, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()

"""The app label of models that moved here from `orchestration`."""

from __future__ import annotations

LABEL = "orchestration"
"""The app that these tables were made in keeps their migrations, names, permissions and admin addresses (ADR 10)."""

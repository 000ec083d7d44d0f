"""Addresses of pages, as messages name them."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse


def run_page(run_id: int) -> str:
    """The page of a run on the public site."""
    return settings.ZEN_PUBLIC_URL + reverse("admin:orchestration_run_change", args=[run_id])


def alert_page(alert_id: int) -> str:
    """The page of an alert on the public site."""
    return settings.ZEN_PUBLIC_URL + reverse("admin:monitoring_alert_change", args=[alert_id])

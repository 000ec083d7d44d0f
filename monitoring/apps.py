"""The Django app; it has no models."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Label `monitoring`."""

    name = "monitoring"
    default_auto_field = "django.db.models.BigAutoField"

"""Tells an already configured process which embedded servers it has just started."""

from django.conf import settings

from zen_project.celery import app
from zen_project.config.broker import transport_options


def configure(*, temporal_address: str | None = None, broker_url: str | None = None, engine: str | None = None) -> None:
    """For `up`, `demo` and `saga start --wait`, which host the workers themselves. None leaves a setting alone."""
    settings.ZEN_EMBEDDED = True
    if temporal_address is not None:
        settings.TEMPORAL_ADDRESS = temporal_address
    if engine is not None:
        settings.ZEN_ENGINE = engine
    if broker_url is not None:
        settings.CELERY_BROKER_URL = broker_url
        settings.CELERY_BROKER_TRANSPORT_OPTIONS = transport_options(broker_url)
        app.conf.update(broker_url=broker_url, broker_transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS)

"""`celery -A zen_project worker -B` finds the app here."""

import os
from threading import Thread
from typing import Any, cast

from celery import Celery
from celery.beat import EmbeddedService
from celery.signals import worker_ready
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zen_project.settings")

app = Celery("zen_project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def sweep_without_a_server(**_: Any) -> None:
    """A memory:// broker reaches its own process only, and the beat of `-B` is another: so a thread here."""
    if app.conf.broker_url.startswith("memory:") and not settings.ZEN_EMBEDDED:
        beat = EmbeddedService(app, thread=True, scheduler_cls=app.conf.beat_scheduler)
        cast(Thread, beat).start()

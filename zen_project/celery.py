"""`celery -A zen_project worker -B` finds the app here."""

import os
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zen_project.settings")


class Zen(Celery):
    @property
    def Worker(self) -> Any:  # noqa: N802 - Celery's name
        from orchestration.workers.celery.bootstep import OwnWorker  # noqa: PLC0415 - Celery reads this app first

        return self.subclass_with_self(OwnWorker, name="Worker")


app = Zen("zen_project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

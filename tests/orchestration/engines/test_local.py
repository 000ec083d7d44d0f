"""Workers inside a process that is none: they leave nothing behind."""

from __future__ import annotations

import threading

import pytest
from pytest_django import Settings

from orchestration.models import Worker
from orchestration.workers.celery.in_process import hosted
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_no_lease_and_no_thread_outlive_them(settings: Settings) -> None:
    settings.ZEN_WORKER_LEASE_SECONDS = 3
    for _ in range(2):
        with hosted(threads=2):
            assert Worker.objects.filter(engine="celery").count() == 1
            taken = Worker.objects.get().lease_until
            wait_until(Worker.objects.filter(lease_until__gt=taken).exists, "a lease that is kept")
        assert not Worker.objects.exists()
        assert not [thread for thread in threading.enumerate() if thread.name == "lease-keeper"]

"""Rows of workers that are gone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestration.clock import now
from orchestration.engines.celery import lease
from orchestration.models import Worker

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_dead_worker_of_temporal_is_seen_for_a_week() -> None:
    for name, engine, ago in [
        ("alive", "temporal", timedelta(seconds=-5)), ("dead", "temporal", timedelta(days=6)),
        ("long gone", "temporal", timedelta(days=8)), ("gone", "celery", timedelta(seconds=5)),
    ]:  # fmt: skip
        Worker.objects.create(name=name, engine=engine, started_at=now(), lease_until=now() - ago)
    lease.free_the_lost()
    assert set(Worker.objects.values_list("name", flat=True)) == {"alive", "dead"}

"""Workers prune by themselves: a minute each hour, one at a time, and not within a week of the upgrade."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import Settings

from foundation.clock import now
from foundation.models import AuditEvent
from monitoring.alerting.rules import rules
from monitoring.models import Alert, Loop
from monitoring.retention import beat
from monitoring.retention.estimate import retention, waiting
from monitoring.watch import loops
from orchestration.models import Archive, Run
from tests.monitoring.retention.scenes import ended

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def long_there() -> Iterator[None]:
    """Monitoring's tables were made a year ago."""
    rows = MigrationRecorder.Migration.objects.filter(app="monitoring")
    before = dict(rows.values_list("pk", "applied"))
    rows.update(applied=now() - timedelta(days=365))
    yield
    beat._passing.clear()
    for pk, applied in before.items():
        MigrationRecorder.Migration.objects.filter(pk=pk).update(applied=applied)


def whole_pass() -> int:
    """Parts of a pass until it is over; returns how many there were."""
    parts = 1
    while beat.prune_a_little() is not None:
        parts += 1
    return parts


def test_a_pass_is_made_once_an_hour_by_who_has_the_turn() -> None:
    ended("o-1", days=100)
    whole_pass()
    assert Archive.objects.count() == 1
    ended("o-2", days=99)
    whole_pass()
    assert Archive.objects.count() == 1, "this hour's is done"
    Loop.objects.filter(name=loops.PRUNE).update(at=now() - timedelta(hours=1, seconds=1), holder="other", until=now())
    whole_pass()
    assert Archive.objects.count() == 2
    told = AuditEvent.objects.filter(action="prune.condensed").first()
    assert told is not None and (told.actor, told.door) == ("retention", "engine")


def test_another_process_has_the_turn() -> None:
    ended("o-1", days=100)
    Loop.objects.create(name=loops.PRUNE, holder="other:1", until=now() + timedelta(seconds=9))
    whole_pass()
    assert not Archive.objects.exists()


def test_the_work_is_done_in_parts_with_rests_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beat, "AT_A_TIME", 0.0)
    monkeypatch.setattr("monitoring.retention.pace.FIRST", 1)
    for number in range(3):
        ended(f"o-{number}", days=100)
    pause = beat.prune_a_little()
    assert pause is not None and 0 <= pause < 5
    assert whole_pass() > 3 and Archive.objects.count() == 3


@pytest.mark.parametrize("days", [0, 6.9])
def test_nothing_goes_within_a_week_of_the_upgrade_and_the_doctor_says_when(days: float) -> None:
    MigrationRecorder.Migration.objects.filter(app="monitoring").update(applied=now() - timedelta(days=days))
    ended("o-1", days=401)
    whole_pass()
    found = retention()
    assert not Archive.objects.exists() and waiting() == {"details": 1, "runs": 1}
    begins = now() + timedelta(days=7 - days)
    assert "1 runs to look at and condense, 1 to remove" in found.detail, found.detail
    assert f"workers begin on {begins:%Y-%m-%d}" in found.detail
    assert found.configured == "details 90 days, runs 400 days"


def test_it_can_be_turned_off(settings: Settings) -> None:
    settings.ZEN_PRUNE = False
    ended("o-1", days=100)
    whole_pass()
    found = retention()
    assert not Archive.objects.exists() and found.state == "off" and "ZEN_PRUNE=on" in found.remedy


def test_how_late_it_is_is_told_to_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        ended(f"o-{number}", days=100 - number)
    monkeypatch.setattr(beat, "LONGEST", 0.0)
    monkeypatch.setattr(beat, "AT_A_TIME", 0.0)
    whole_pass()
    row = Loop.objects.get(name=loops.PRUNE)
    assert row.lag == pytest.approx(86 * 86_400, abs=60) and row.at is not None, "by its lines"


def test_a_disk_that_is_full_keeps_the_rest_from_nothing_and_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ended("o-1", days=100)
    Alert.objects.create(
        rule=rules()["run_failed"][0], fingerprint="f", severity="warning", title="t", sentence="s", state="resolved",
        opened_at=now() - timedelta(days=500), last_seen_at=now(), resolved_at=now() - timedelta(days=500),
    )  # fmt: skip

    def full(run: Run) -> tuple[str, str]:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("monitoring.retention.recorded.written", full)
    whole_pass()
    row = Loop.objects.get(name=loops.PRUNE)
    assert row.at is not None and row.lag == pytest.approx(10 * 86_400, abs=60), "the next pass is in an hour"
    assert not Alert.objects.exists() and not Archive.objects.exists()
    assert "details cannot be pruned" in caplog.text
    monkeypatch.undo()
    Loop.objects.filter(name=loops.PRUNE).update(at=now() - timedelta(hours=2))
    whole_pass()
    assert Archive.objects.count() == 1 and Loop.objects.get(name=loops.PRUNE).lag == 0

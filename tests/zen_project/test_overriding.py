"""What tests/support/servers/overriding.py is for: a thread that reads while a test overrides."""

from __future__ import annotations

import threading

import pytest
from django.conf import settings as read
from django.test import override_settings

pytestmark = pytest.mark.django_db


def test_whoever_reads_while_a_setting_is_overridden_finds_the_old_one_or_the_new() -> None:
    seen: set[object] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            try:
                seen.add(read.ZEN_SWEEP_SECONDS)
            except AttributeError as error:
                seen.add(str(error))

    before = read.ZEN_SWEEP_SECONDS
    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(5_000):
        with override_settings(ZEN_SWEEP_SECONDS=77):
            pass
    stop.set()
    looking.join()
    assert seen <= {before, 77}

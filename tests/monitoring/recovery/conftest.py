"""A pass of recovery does all that is due, however slow the machine."""

from __future__ import annotations

import pytest

from monitoring.performing import tick


@pytest.fixture(autouse=True)
def _a_pass_does_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tick, "SECONDS", 600.0)

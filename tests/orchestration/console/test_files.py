"""A run's configuration is given in a file and in pairs, and what is no mapping is refused by its option."""

from __future__ import annotations

from pathlib import Path

import pytest

from foundation.errors import BadInput
from orchestration.console.files import configuration


def test_a_later_part_of_a_configuration_is_laid_over_an_earlier_one(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("alert_on_failure: true\nnotification_channels: ['slack://deployments']\ntimeout_seconds: 60\n")
    assert configuration([str(file), "timeout_seconds=90", "retry_failed_steps=[10, 60]"]) == {
        "alert_on_failure": True,
        "notification_channels": ["slack://deployments"],
        "timeout_seconds": 90,
        "retry_failed_steps": [10, 60],
    }
    assert configuration(None) == {}


@pytest.mark.parametrize("text", ["- a\n", "alert_on_failure\n"])
def test_a_file_without_a_mapping_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(BadInput, match="no mapping") as refused:
        configuration([str(file)])
    assert refused.value.field == "config"


def test_a_file_that_is_not_there_is_refused_by_its_option() -> None:
    with pytest.raises(BadInput, match=r"there is no file nowhere\.yaml, and it is no KEY=VALUE") as refused:
        configuration(["nowhere.yaml"])
    assert refused.value.field == "config" and "nowhere.yaml=VALUE" in refused.value.remedy

"""Django's own checks for a production find nothing, and none is silenced."""

import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from tools.check import CHECKS, production

pytestmark = pytest.mark.servers  # processes of its own

ROOT = Path(__file__).parents[2]


def checked(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(CHECKS["deploy"], cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_a_production_has_nothing_to_be_warned_of(tmp_path: Path) -> None:
    done = checked(production(str(tmp_path)))
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout + done.stderr
    assert settings.SILENCED_SYSTEM_CHECKS == []


@pytest.mark.parametrize(("without", "told"), [("ZEN_HTTPS", "W012"), ("ZEN_HSTS_SUBDOMAINS", "W005")])
def test_the_check_can_fail(tmp_path: Path, without: str, told: str) -> None:
    done = checked(production(str(tmp_path)) | {without: "off"})
    assert done.returncode and told in done.stderr

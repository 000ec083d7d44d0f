"""Images of others are named by digest: what a tag names can change, what a digest names cannot."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"[a-z0-9/-]+:[\w.-]+@sha256:[0-9a-f]{64}")
OWN = "zen-orchestration:"


def test_the_compose_file_names_every_image_by_digest() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    images = {service["image"] for service in services.values() if not service["image"].startswith(OWN)}
    assert {name.partition(":")[0] for name in images} == {
        "postgres", "valkey/valkey", "temporalio/auto-setup", "temporalio/ui", "prom/prometheus", "grafana/grafana"
    }  # fmt: skip
    assert [image for image in images if not PINNED.fullmatch(image)] == []


def test_the_image_is_built_on_a_base_that_is_named_by_digest() -> None:
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert len(bases) == 2 and len(set(bases)) == 1
    assert PINNED.fullmatch(bases[0])


def test_whose_forwarded_addresses_are_believed_is_left_to_our_own_setting() -> None:
    """uvicorn would believe those of loopback, whatever ZEN_TRUSTED_PROXIES says."""
    for path in ("Dockerfile", "zen_project/management/commands/up.py"):
        text = (ROOT / path).read_text()
        assert "uvicorn" in text and '"--no-proxy-headers"' in text and '"--proxy-headers"' not in text

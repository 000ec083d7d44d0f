"""Which release this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def release() -> str:
    """The version of what is installed; 'unknown' in a checkout that is not."""
    try:
        return version("zen-orchestration")
    except PackageNotFoundError:
        return "unknown"

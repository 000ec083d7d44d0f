"""Settings that a test overrides while threads of a worker read them: never without any in between."""

from __future__ import annotations

from typing import Any

from django.conf import LazySettings

_plain = LazySettings.__setattr__


def in_one_step() -> None:
    """Django empties the object before it puts the new settings in, and whoever reads then finds None."""

    def set_it(self: LazySettings, name: str, value: Any) -> None:
        if name == "_wrapped":
            object.__setattr__(self, "__dict__", {"_wrapped": value})
        else:
            _plain(self, name, value)

    LazySettings.__setattr__ = set_it  # type: ignore[method-assign, assignment]

"""The trivial action of the benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def trivial(payload: Mapping[str, Any], context: object) -> dict[str, int]:
    return {"n": 1}

"""A handler that keeps the GIL, as a C extension or a bad regular expression does."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any


def eat(payload: Mapping[str, Any], _: Any) -> dict[str, bool]:
    ctypes.PyDLL(None).sleep(int(payload["seconds"]))
    return {"eaten": True}

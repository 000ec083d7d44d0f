"""Bytes inside JSON: the binary body of an answer is {"base64": …, "type": …}."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

MEDIA_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+(\s*;[^\x00-\x1f\x7f]*)?")


def is_binary(value: object) -> bool:
    """Whether a value is the binary body of an answer, as {"base64": …, "type": …}."""
    if not isinstance(value, Mapping) or set(value) != {"base64", "type"}:
        return False
    kind = value["type"]
    return isinstance(kind, str) and MEDIA_TYPE.fullmatch(kind) is not None and bytes_of(value["base64"]) is not None


def bytes_of(text: object) -> bytes | None:
    """The bytes of a base64 text; None when it is none."""
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        return None

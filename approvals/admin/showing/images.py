"""Pictures that a content brings along itself."""

from __future__ import annotations

import base64
import binascii
import re

MOST_CHARACTERS = 400_000
"""About 300 kB."""

_START = re.compile(r"data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/]+={0,2})")
_MAGIC = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff", "gif": b"GIF8", "webp": b"RIFF"}


def is_image(text: str) -> bool:
    """Whether it is a data: URL of a small picture that is what it says it is."""
    if not text.startswith("data:image/") or len(text) > MOST_CHARACTERS:
        return False
    found = _START.fullmatch(text)
    if found is None:
        return False
    try:
        return base64.b64decode(found[2], validate=True).startswith(_MAGIC[found[1]])
    except binascii.Error:
        return False

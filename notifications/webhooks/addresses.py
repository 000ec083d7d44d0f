"""Which addresses may be called back. The guard judges what they resolve to, at each attempt."""

from __future__ import annotations

import httpx2
from django.conf import settings

from foundation.errors import BadInput
from foundation.outbound.address_guard import allowance, is_named

LONGEST = 1000


def usable(url: str) -> str:
    """The address as it is kept, or BadInput."""
    try:
        parts = httpx2.URL(url)
        host = parts.host
    except (httpx2.InvalidURL, TypeError, UnicodeError):  # a host such as xn--..x breaks when it is read
        raise _refused("is no URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise _refused("needs https:// and a host")
    if parts.userinfo:
        raise _refused("contains credentials; remove them, the signature is enough")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme == "http" and not is_named(host, port, settings.ZEN_OUTBOUND_ALLOW):
        raise _refused(f"is not encrypted; to allow it for {host} set {allowance(host, port)}")
    text = str(parts.copy_with(fragment=None))
    if len(text) > LONGEST:
        raise _refused(f"has {len(text)} characters, and {LONGEST} are the most")
    return text


def _refused(why: str) -> BadInput:
    return BadInput(f"the callback address {why}", field="url", remedy="for example https://example.org/zen")

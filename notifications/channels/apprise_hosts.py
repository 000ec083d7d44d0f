"""Which hosts apprise would call. It bypasses the address guard, so a private host is accepted only by its name."""

from __future__ import annotations

import re
from typing import Any

from foundation.outbound.transport import refused_unless_named

VENDORS: dict[str, tuple[str, ...]] = {
    "infobip": ("infobip.com",),
    "mmost": ("cloud.mattermost.com",),
    "mmosts": ("cloud.mattermost.com",),
    "ntfy": ("ntfy.sh",),
    "ntfys": ("ntfy.sh",),
    "rocket": ("rocket.chat",),
    "rockets": ("rocket.chat",),
    "workflow": ("logic.azure.com", "api.powerplatform.com"),
    "workflows": ("logic.azure.com", "api.powerplatform.com"),
    "zulip": ("zulipchat.com",),
}
"""Services whose URL names the host, with the domains that belong to their makers. The others have fixed hosts."""
HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]", re.IGNORECASE)


def refused_host(scheme: str, service: Any) -> str:
    """Why this service of apprise is not to be used; '' when it is."""
    if scheme not in VENDORS or getattr(service, "mode", "") == "cloud":
        return ""
    host, port = _place(scheme, service)
    if not HOST.fullmatch(host):
        return f"apprise would call {host[:100]!r}, which is no host"
    if any(host.lower().endswith(f".{domain}") or host.lower() == domain for domain in VENDORS[scheme]):
        return ""
    return refused_unless_named(host, port)


def _place(scheme: str, service: Any) -> tuple[str, int]:
    if scheme == "zulip":
        return f"{service.organization}.{service.hostname}", 443
    usual = 443 if getattr(service, "secure", False) or scheme in ("infobip", "workflow", "workflows") else 80
    host = str(service.host or "")
    return (f"[{host}]" if ":" in host and not host.startswith("[") else host), service.port or usual

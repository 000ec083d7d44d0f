"""MCP over streamable HTTP, in the site's ASGI app: what stands before the SDK at `/mcp`, and its metadata.

No session is kept (each request says who calls), so any process of the site answers any of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain
from mcp.server.transport_security import TransportSecuritySettings
from rest_framework.exceptions import Throttled

from foundation.api.errors import CONTENT_TYPE, problem
from foundation.api.limits import pause_of_address, refuse_guesses
from foundation.models.token import SCOPES
from zen_project.mcp.bounds import MOST_REQUEST
from zen_project.mcp.identity import CONNECTION, Connection
from zen_project.mcp.server import PATH, make_server
from zen_project.mcp.threads import in_thread
from zen_project.web.bodies import Asgi, Message, Receive, Send

METADATA = "/.well-known/oauth-protected-resource"
KEPT = ("user-agent", "x-forwarded-for")


class WithMcp:
    """The site, and the MCP server at `/mcp` beside it."""

    def __init__(self, site: Any) -> None:
        self.site: Asgi = site
        self.mcp: Any = make_server(with_tokens=True).streamable_http_app(
            streamable_http_path=PATH, stateless_http=True, max_request_body_size=MOST_REQUEST,
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),  # `_why_not` does
        )  # fmt: skip

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.mcp(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] in (PATH, f"{PATH}/"):
            await self._served({**scope, "path": PATH}, receive, send)
        elif scope["type"] == "http" and scope["path"] in (METADATA, METADATA + PATH):
            await _send_json(send, 200, metadata(), "application/json")
        else:
            await self.site(scope, receive, send)

    async def _served(self, scope: Message, receive: Receive, send: Send) -> None:
        connection = connection_of(scope)
        if refusal := _why_not(_header(scope, "host"), _header(scope, "origin")):
            await _send_problem(send, *refusal)
        elif pause := await in_thread(lambda: _pause(connection)):
            await _send_problem(send, 429, "too many requests, or too many wrong tokens, come from there", pause)
        else:
            reset = CONNECTION.set(connection)
            try:
                await self.mcp(scope, receive, send)
            finally:
                CONNECTION.reset(reset)


def metadata() -> dict[str, Any]:
    """What RFC 9728 tells of this server: the site itself makes tokens, so no server that issues them is named."""
    return {
        "resource": f"{settings.ZEN_PUBLIC_URL}{PATH}",
        "resource_name": "Zen",
        "bearer_methods_supported": ["header"],
        "scopes_supported": list(SCOPES),
    }


def connection_of(scope: Message) -> Connection:
    """Who is at the other end, as limits and the evidence of a vote read it."""
    client = scope.get("client") or ("", 0)
    found = {f"HTTP_{name.upper().replace('-', '_')}": _header(scope, name) for name in KEPT}
    return Connection(META={"REMOTE_ADDR": client[0]} | {name: value for name, value in found.items() if value})


def _why_not(host: str, origin: str) -> tuple[int, str] | None:
    """A page of another site must not reach this one through a browser: by a name that is not ours, or from a page."""
    domain, _ = split_domain_port(host.lower())
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return 421, f"'{host[:80]}' is not a host of this site; ZEN_ALLOWED_HOSTS has them"
    if origin and not _is_ours(origin.lower(), host.lower()):
        return 403, f"'{origin[:80]}' is not an origin of this site; ZEN_TRUSTED_ORIGINS has those beside its own"
    return None


def _is_ours(origin: str, host: str) -> bool:
    given = urlsplit(origin)
    if given.scheme in ("http", "https") and given.netloc == host:
        return True
    trusted: Iterable[Any] = (urlsplit(one.replace("*", "", 1)) for one in settings.CSRF_TRUSTED_ORIGINS)
    return any(one.scheme == given.scheme and is_same_domain(given.netloc, one.netloc) for one in trusted)


def _pause(connection: Connection) -> float:
    """Seconds until this address may call again; 0 now."""
    try:
        refuse_guesses(connection)  # type: ignore[arg-type]
    except Throttled as error:
        return float(getattr(error, "wait", None) or 1)
    return pause_of_address(connection)


def _header(scope: Message, name: str) -> str:
    found = [value for key, value in scope["headers"] if key == name.encode()]
    return b", ".join(found).decode("latin-1")


async def _send_problem(send: Send, status: int, detail: str, pause: float = 0.0) -> None:
    headers = [(b"retry-after", str(int(pause)).encode())] if pause else []
    await _send_json(send, status, problem(status, detail, instance=PATH), CONTENT_TYPE, headers)


async def _send_json(
    send: Send, status: int, body: dict[str, Any], kind: str, more: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    text = json.dumps(body).encode()
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(text)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})

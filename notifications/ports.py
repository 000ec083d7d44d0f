"""What other rooms lend to this one, which may not import them: functions that a setting names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import httpx2
from django.conf import settings
from django.utils.module_loading import import_string


class Actor(Protocol):
    """Who acts, through which door, and in which roles."""

    @property
    def name(self) -> str: ...
    @property
    def door(self) -> str: ...
    @property
    def roles(self) -> frozenset[str]: ...


def resolve(text: str) -> str:
    """`{secret:NAME}` becomes its value. Raises whatever the lender raises when there is none."""
    return str(import_string(settings.ZEN_SECRET_RESOLVER)(text))


def redact(text: str) -> str:
    """The text without the value of any secret."""
    return str(import_string(settings.ZEN_REDACTOR)(text))


def transport() -> httpx2.BaseTransport:
    """What judges each address before it is dialled. Raises the errors of httpcore2 and httpx2."""
    made: httpx2.BaseTransport = import_string(settings.ZEN_OUTBOUND_TRANSPORT)()
    return made


def refused_host(host: str, port: int) -> str:
    """Why a host must not be called by a client that dials by itself; '' when the site names it as allowed."""
    return str(import_string(settings.ZEN_OUTBOUND_NAMED)(host, port))


def audit(*, actor: Actor, action: str, note: str = "", **data: Any) -> None:
    """In the caller's transaction."""
    import_string(settings.ZEN_AUDIT)(actor=actor, action=action, workflow_id="notifications", note=note, **data)


def as_sent(url: str) -> str:
    """The address with what it needs only when it is sent, such as a token: rows never hold that."""
    return str(import_string(settings.ZEN_LINK_SIGNER)(url))


def listeners() -> list[Callable[[Any], None]]:
    return [import_string(path) for path in settings.ZEN_DELIVERY_LISTENERS]

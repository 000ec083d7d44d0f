"""Whether a redirect is followed, and what is sent along (only for actions that say `follow_redirects`).

A request that may act is not repeated unless the service asks for it: a POST goes on after 307 and 308 alone, and only
within its origin.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

MOST_HOPS = 5
STATUSES = frozenset({301, 302, 303, 307, 308})
READING = frozenset({"GET", "HEAD", "OPTIONS"})
NO_CREDENTIALS = frozenset({"accept", "accept-language", "user-agent"})
"""The headers that cross origins. Any other one may be a credential under a name of the service's own."""
OF_THE_BODY = frozenset({"content-type", "content-encoding", "content-language"})


class NotFollowed(Exception):
    """The redirect is not followed; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request. `body` is what httpx2 takes for its content."""

    method: str
    url: httpx2.URL
    headers: Mapping[str, str]
    body: bytes | None = None


def onward(ask: Ask, status: int, location: str) -> Ask:
    """The request that a redirect asks for.

    Raises:
        NotFollowed: its Location is no plain http(s) URL or leads from https to http, or the request may have acted and
            is not repeated there.
    """
    url = _target(ask.url, location)
    same_origin = _origin(url) == _origin(ask.url)
    headers = dict(ask.headers) if same_origin else _kept(ask.headers, NO_CREDENTIALS)
    if ask.method in READING:
        return dataclasses.replace(ask, url=url, headers=headers, body=ask.body if same_origin else None)
    if status == 303:
        left = {name: value for name, value in headers.items() if name.lower() not in OF_THE_BODY}
        return Ask(method="GET", url=url, headers=left)
    if status not in (307, 308):
        raise NotFollowed(f"{status} does not say whether {ask.method} is to be repeated; call the new address itself")
    if not same_origin:
        raise NotFollowed(f"{ask.method} is not repeated at another origin; call the new address itself")
    return dataclasses.replace(ask, url=url)


def may_have_acted(method: str, status: int) -> bool:
    """303 is what a service answers once it has acted, and so is 302 in the older habit."""
    return method not in READING and status in (302, 303)


def shown(url: httpx2.URL) -> str:
    """Without query and fragment, where other people's tokens are."""
    return str(url.copy_with(query=None, fragment=None))


def _target(base: httpx2.URL, location: str) -> httpx2.URL:
    try:
        url = base.join(location).copy_with(fragment=None)
    except (httpx2.InvalidURL, ValueError) as error:
        raise NotFollowed(f"its Location is no URL: {error}") from None
    if not location or not url.host:
        raise NotFollowed("it names no Location")
    if url.scheme not in ("http", "https") or url.userinfo:
        raise NotFollowed("its Location is not a plain http(s) URL")
    if base.scheme == "https" and url.scheme == "http":
        raise NotFollowed("it leads from https to http")
    return url


def _origin(url: httpx2.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _kept(headers: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() in names}

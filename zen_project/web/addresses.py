"""Whose request it is: the address of the client, through the proxies that the site trusts and no others."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest

MOST_HOPS = 20


def client_address(request: HttpRequest) -> str:
    """For axes, the API's limits and whatever else counts by address."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    return seen_from(request.META.get("REMOTE_ADDR", ""), forwarded, settings.ZEN_TRUSTED_PROXIES)


def seen_from(peer: str, forwarded: str, trusted: Sequence[str]) -> str:
    """The last address on the way that is not a trusted proxy's; '' where there is none.

    `forwarded` is X-Forwarded-For, to which each proxy appends whom it has heard from: it is read from its end, and
    only as far as trusted proxies wrote it. `trusted`: addresses and CIDRs.
    """
    networks = [ipaddress.ip_network(entry, strict=False) for entry in trusted]
    found = peer
    for entry in reversed(forwarded.split(",")[-MOST_HOPS:]):
        if not _within(found, networks) or not (entry := entry.strip()):
            break
        found = entry
    return _plain(found)


def _within(text: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        address = ipaddress.ip_address(_plain(text))
    except ValueError:
        return False
    return any(address.version == network.version and address in network for network in networks)


def _plain(text: str) -> str:
    """Without a zone; an IPv4 address that is wrapped as IPv6 as itself."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text[:64]
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or address)
    return str(address)


def counted_as(address: str) -> str:
    """What limits count by: an IPv4 address, or the /64 of an IPv6 one, which a single machine has whole."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((parsed, 64), strict=False).network_address)
    return address


def for_login(request: HttpRequest) -> str:
    return counted_as(client_address(request))

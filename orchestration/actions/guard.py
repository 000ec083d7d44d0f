"""Which addresses an action may call. Private ones are refused unless the site allows them; metadata ones always."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("169.254.169.254", "169.254.170.2", "168.63.129.16", "fd00:ec2::254")
)
SHARED = ipaddress.ip_network("100.64.0.0/10")
NOWHERE = ipaddress.ip_address("::")
NAT64 = ipaddress.ip_network("64:ff9b::/96")


def judge(host: str, port: int, addresses: Iterable[str], allow: Sequence[str]) -> str:
    """Why `host` must not be called at these addresses; '' when it may. All of them have to pass.

    `allow`: host, host:port, address, address:port or CIDR, as ZEN_OUTBOUND_ALLOW gives them.
    """
    for text in addresses:
        address = effective(ipaddress.ip_address(text.split("%")[0]))
        if address in METADATA:
            return f"{host} is the cloud's metadata address {address}, which is never called"
        if not is_public(address) and not _allowed(host, port, address, allow):
            return (
                f"{host} is at {address}, which is not a public address; "
                f"to allow it set ZEN_OUTBOUND_ALLOW={host}:{port}"
            )
    return ""


def effective(address: Address) -> Address:
    """The IPv4 address inside a mapped, 6to4, Teredo or NAT64 address; else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address


def is_public(address: Address) -> bool:
    in_shared = isinstance(address, ipaddress.IPv4Address) and address in SHARED
    return address.is_global and not address.is_multicast and not in_shared


def is_named(host: str, port: int, allow: Sequence[str]) -> bool:
    """Whether the site allows this very host, as it is written. Nothing is resolved."""
    name = host.lower().strip("[]")
    try:
        return _allowed(host, port, effective(ipaddress.ip_address(name)), allow)
    except ValueError:
        names = [entry.lower() for entry in allow if "/" not in entry]
        return any(_matches(entry, name, port, NOWHERE) for entry in names)


def _allowed(host: str, port: int, address: Address, allow: Sequence[str]) -> bool:
    name = host.lower().strip("[]")
    return any(_matches(entry.lower(), name, port, address) for entry in allow)


def _matches(entry: str, name: str, port: int, address: Address) -> bool:
    if "/" in entry:
        network = ipaddress.ip_network(entry, strict=False)
        return address.version == network.version and address in network
    host, _, given = entry.rpartition(":") if _has_port(entry) else (entry, "", "")
    if given and int(given) != port:
        return False
    host = host.strip("[]")
    return host in (name, str(address)) or (host.startswith("*.") and name.endswith(host[1:]))


def _has_port(entry: str) -> bool:
    head, separator, tail = entry.rpartition(":")
    return bool(separator) and tail.isdigit() and (head.endswith("]") or ":" not in head)

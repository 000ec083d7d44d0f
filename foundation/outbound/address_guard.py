"""Which addresses an action may call. Private ones are refused unless the site allows them; metadata ones always.

The ranges are those of the IANA registries of special-purpose addresses, written out here: what the standard library
takes for global differs between the patch releases of Python.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address as IPv4
from ipaddress import IPv6Address as IPv6

Address = IPv4 | IPv6

METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.0.23", "168.63.129.16", "100.100.100.200",
        "192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
    )
)  # fmt: skip
"""Where the large clouds give a machine its credentials, and their agents' addresses."""

SPECIAL_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
"""All that is assigned for public hosts; everything outside is special or unassigned."""
SPECIAL_V6 = tuple(
    ipaddress.IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3ffe::/16", "3fff::/20")
)

_LAST_32 = tuple(ipaddress.IPv6Network(text) for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96"))
"""IPv4-compatible, IPv4-mapped, IPv4-translated and NAT64: the IPv4 address stands at the end."""
_SIX_TO_FOUR, _TEREDO = ipaddress.IPv6Network("2002::/16"), ipaddress.IPv6Network("2001::/32")
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
"""The upper half of an interface's id whose lower half is an IPv4 address."""
_NO_V4 = frozenset({IPv6("::"), IPv6("::1")})
_NOWHERE = IPv6("::")


def judge(host: str, port: int, addresses: Iterable[str], allow: Sequence[str], remedy: str = "") -> str:
    """Why `host` must not be called at these addresses; '' when it may. All of them have to pass.

    `allow`: host, host:port, address, address:port or CIDR, as ZEN_OUTBOUND_ALLOW gives them. `remedy`: what would
    allow a private one, where that is not this setting.
    """
    for text in addresses:
        address = ipaddress.ip_address(text.split("%")[0])
        for metadata in METADATA.intersection((address, *_inside(address))):
            return f"{host} is the cloud's metadata address {metadata}, which is never called"
        for reached in _reached(address):
            if not is_public(reached) and not _allowed(host, port, reached, allow):
                allowing = remedy or f"to allow it set {allowance(host, port)}"
                return f"{host} is at {reached}, which is not a public address; {allowing}"
    return ""


def allowance(host: str, port: int) -> str:
    """What lets a site call this host: an IPv6 address stands in brackets where a port follows it."""
    name = host.strip("[]")
    return f"ZEN_OUTBOUND_ALLOW={f'[{name}]' if ':' in name else name}:{port}"


def is_public(address: Address) -> bool:
    """Of the address as it stands, whatever it holds."""
    if isinstance(address, IPv4):
        return not any(address in network for network in SPECIAL_V4)
    return address in GLOBAL_V6 and not any(address in network for network in SPECIAL_V6)


def _reached(address: Address) -> tuple[Address, ...]:
    """What has to be public for it: the IPv4 addresses that it is a wrapping of, else itself and what it may reach."""
    if isinstance(address, IPv4) or address in _NO_V4:
        return (address,)
    if address in _LOCAL_NAT64:
        return (address,)
    if any(address in network for network in (*_LAST_32, _SIX_TO_FOUR, _TEREDO)):
        return _inside(address)
    return (address, *_inside(address))


def _inside(address: Address) -> tuple[IPv4, ...]:
    """The IPv4 addresses that an IPv6 address holds, by every way of holding one."""
    if isinstance(address, IPv4) or address in _NO_V4:
        return ()
    bits = int(address)
    if any(address in network for network in _LAST_32):
        return (_v4(bits),)
    if address in _SIX_TO_FOUR:
        return (_v4(bits >> 80),)
    if address in _TEREDO:
        return (_v4(bits ^ 0xFFFFFFFF), _v4(bits >> 64))
    if address in _LOCAL_NAT64:
        return _by_prefix_length(bits)
    return (_v4(bits),) if (bits >> 32) & 0xFFFFFFFF in _ISATAP else ()


def _by_prefix_length(bits: int) -> tuple[IPv4, ...]:
    """RFC 6052: after a prefix of 48, 56, 64 or 96 bits, leaving out the eight bits from 64 on."""
    without = (bits >> 64 << 56) | (bits & (1 << 56) - 1)  # 120 bits
    return (*(_v4(without >> (120 - length - 32)) for length in (48, 56, 64)), _v4(bits))


def _v4(bits: int) -> IPv4:
    return IPv4(bits & 0xFFFFFFFF)


def is_named(host: str, port: int, allow: Sequence[str]) -> bool:
    """Whether the site allows this very host, as it is written. Nothing is resolved."""
    name = host.lower().strip("[]")
    try:
        return all(_allowed(host, port, reached, allow) for reached in _reached(ipaddress.ip_address(name)))
    except ValueError:
        names = [entry.lower() for entry in allow if "/" not in entry]
        return any(_matches(entry, name, port, _NOWHERE) for entry in names)


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

"""The hosts that an agent may reach, as its endpoint names them: host, host:port, *.domain or *.domain:port."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from foundation.outbound.address_guard import is_named, judge

MOST_HOSTS, LONGEST_HOST = 100, 260
PORTS = (443, 80)
"""Of an entry that names none."""
FIRST_PORT = 1024
"""On the worker's loopback: the sandbox can open no lower one in the agent's place."""
ENTRY = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[^:]*))?")
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
NAME = re.compile(rf"(?:{LABEL}\.)*[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")
EXAMPLE = "api.openai.com, api.openai.com:443 or *.pypi.org"


class AllowList:
    """What the entries mean. They have no `problem_of`."""

    def __init__(self, hosts: Iterable[str]) -> None:
        parted = [_parts(host.lower()) for host in hosts]
        self._named = [_joined(host, one) for host, port in parted for one in ((int(port),) if port else PORTS)]
        self.private = [_joined(host, int(port)) for host, port in parted if port and not host.startswith("*")]
        """Entries of the guard's own kind, of what may be reached though it is at no public address."""
        self.loopback = [(place, int(port), host) for host, port in parted if port for place in _places(host)]
        """(address, port, host): what listens on the worker's loopback, and is found at the same place inside."""

    @property
    def loopback_words(self) -> str:
        """Those of `loopback` as joined.py takes them."""
        return ",".join(f"{place}/{port}" for place, port, _ in self.loopback)

    def allows(self, host: str, port: int) -> bool:
        """Whether the list names it. Its addresses are yet to be judged."""
        return is_named(host, port, self._named)


def problem_of(entry: str) -> tuple[str, str] | None:
    """What is wrong with an entry, and the remedy; None for one that is well."""
    host, port = _parts(entry.lower())
    if "/" in entry or "@" in entry:
        return "is an address, no host", f"write the host alone, without scheme, user and path: {EXAMPLE}"
    if "*" in host and (not host.startswith("*.") or "." not in host[2:]):
        return "would allow hosts of everybody", "name a domain, such as *.example.com, or take network host"
    if port is not None and not (re.fullmatch(r"[1-9][0-9]{0,4}", port) and int(port) <= 65535):
        return "has no port from 1 to 65535", f"write a port after the colon, or leave out both: {EXAMPLE}"
    if not _is_host(host.removeprefix("*.")) or len(entry) > LONGEST_HOST:
        return "is no host", f"write a name in ASCII or an address, [::1]:8080 for one of IPv6 with a port: {EXAMPLE}"
    if _places(host) and port and int(port) < FIRST_PORT:
        return "is a port of the loopback that no agent can reach", f"take one from {FIRST_PORT} on"
    if not NAME.fullmatch(host.removeprefix("*.")):
        return _problem_of_address(host, port)
    return None


def _problem_of_address(host: str, port: str | None) -> tuple[str, str] | None:
    number = int(port or PORTS[0])
    if told := judge(host, number, [host], [_joined(host, number)]):
        return told.removeprefix(host).strip(), "name another host"
    if port is None and judge(host, number, [host], []):
        return "is no public address", f"name its port: {_joined(host, number).removesuffix(str(number))}PORT"
    return None


def _parts(entry: str) -> tuple[str, str | None]:
    """Host, and the text after its colon; None where there is no port, as in an address of IPv6 without brackets."""
    found = ENTRY.fullmatch(entry)
    return (found["six"] or found["name"] or "", found["port"]) if found else (entry, None)


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_host(host: str) -> bool:
    try:
        return bool(NAME.fullmatch(host)) or bool(ipaddress.ip_address(host) if "%" not in host else None)
    except ValueError:
        return False


def _places(host: str) -> tuple[str, ...]:
    """Where on a loopback a host of this name listens; () for one elsewhere."""
    if host == "localhost":
        return ("127.0.0.1", "::1")
    try:
        return (host,) if ipaddress.ip_address(host).is_loopback else ()
    except ValueError:
        return ()

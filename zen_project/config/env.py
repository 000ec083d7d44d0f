"""The one reader of the process's environment. A wrong value stops the start, and the message says how to mend it."""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from orchestration.core import queues

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})
HOST = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?", re.IGNORECASE)
CREDENTIALS = re.compile(r"(?<=://)\S*@")  # up to the last: a password may hold a slash that should have been escaped

SECRETS = "ZEN_SECRET_"
# The site's own key shares the prefix; no saga may ask for it as {secret:KEY}.
SITE_KEYS = frozenset(
    f"{name}{end}" for name in ("ZEN_SECRET_KEY", "ZEN_SECRET_KEY_FALLBACKS") for end in ("", "_FILE")
)
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
"""What stands for a secret in the examples of the guide; copied as it is, it protects nothing."""


def refuse(name: str, value: str, why: str, example: str) -> ImproperlyConfigured:
    shown = CREDENTIALS.sub("***@", value)
    return ImproperlyConfigured(f"{name}={shown!r} {why}; for example {name}={example}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Env:
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def text(self, name: str, default: str = "") -> str:
        return self.environ.get(name, "").strip() or default

    def secret(self, name: str, default: str = "") -> str:
        """NAME, or the content of the file that NAME_FILE points to (as container secrets arrive)."""
        value = self._secret(name, default)
        if ELLIPSIS in value:
            why = "is the placeholder of an example, not a secret"
            raise refuse(name, "***", why, "a random value: openssl rand -hex 32")
        return value

    def _secret(self, name: str, default: str) -> str:
        path = self.text(f"{name}_FILE")
        if not path:
            return self.text(name, default)
        if self.text(name):
            raise refuse(f"{name}_FILE", path, f"is set, and so is {name}: keep one of them", f"/run/secrets/{name}")
        try:
            return Path(path).read_text(encoding="utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = f"cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})"
            raise refuse(f"{name}_FILE", path, reason, f"/run/secrets/{name.lower()}") from None

    def networks(self, name: str) -> tuple[str, ...]:
        """Addresses and CIDRs."""
        for entry in (found := self.words(name)):
            try:
                ipaddress.ip_network(entry, strict=False)
            except ValueError:
                raise refuse(name, entry, "is neither an address nor a CIDR", "10.0.0.7,172.18.0.0/16") from None
        return found

    def boolean(self, name: str, default: bool) -> bool:
        value = self.text(name)
        if not value:
            return default
        if value.lower() not in TRUE | FALSE:
            raise refuse(name, value, "is neither on nor off", "on")
        return value.lower() in TRUE

    def integer(self, name: str, default: int, *, least: int = 1, most: int | None = None) -> int:
        value = self.text(name)
        if not value:
            return default
        if not re.fullmatch(r"[+-]?\d{1,18}", value, re.ASCII):
            raise refuse(name, value, "is not a whole number", str(default))
        return int(self._bounded(name, value, int(value), least, most, str(default)))

    def seconds(self, name: str, default: float, *, least: float = 0.05, most: float = 86_400) -> float:
        value = self.text(name)
        if not value:
            return default
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII):
            raise refuse(name, value, "is not a number of seconds", f"{default:g}")
        return self._bounded(name, value, float(value), least, most, f"{default:g}")

    @staticmethod
    def _bounded(name: str, value: str, number: float, least: float, most: float | None, example: str) -> float:
        if number < least:
            raise refuse(name, value, f"is below {least:g}", example)
        if most is not None and number > most:
            raise refuse(name, value, f"is above {most:g}", example)
        return number

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default).lower()
        if value not in choices:
            raise refuse(name, value, f"is none of {', '.join(choices)}", default)
        return value

    def queues(self, name: str, default: Mapping[str, int]) -> dict[str, int]:
        """{queue: threads}, as in default:8,agents:4."""
        value = self.text(name)
        try:
            return queues.parse(value) if value else dict(default)
        except ValueError as error:
            raise refuse(name, value, str(error), queues.EXAMPLE) from None

    def words(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        words = tuple(word.strip() for word in self.text(name).split(",") if word.strip())
        return words or default

    def address(self, name: str, default: str = "", *, example: str = "localhost:7233") -> str:
        """host:port, or '' when it is not set."""
        value = self.text(name, default)
        if value and not is_address(value, port_needed=True):
            raise refuse(name, value, "is not host:port", example)
        return value

    def outbound(self, name: str) -> tuple[str, ...]:
        """host[:port] or CIDR, comma-separated: the addresses that the guard would refuse but may be called."""
        entries = self.words(name)
        for entry in entries:
            if not (is_network(entry) or is_address(entry, port_needed=False)):
                why = f"has {entry!r}, which is neither host[:port] nor a network"
                raise refuse(name, self.text(name), why, "127.0.0.1:8080,10.1.0.0/16,stock.internal")
        return entries

    def action_secrets(self) -> dict[str, str]:
        """ZEN_SECRET_<NAME> and ZEN_SECRET_<NAME>_FILE as {NAME: value}."""
        names = {
            key.removesuffix("_FILE")
            for key in self.environ
            if key.startswith(SECRETS) and key not in SITE_KEYS and self.text(key)
        }
        return {name.removeprefix(SECRETS): self.secret(name) for name in sorted(names)}


def is_network(value: str) -> bool:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        return False
    return "/" in value


def is_address(value: str, *, port_needed: bool) -> bool:
    host, port = split_address(value)
    if port is None:
        return not port_needed and is_host(host)
    return is_host(host) and port.isascii() and port.isdecimal() and 0 < int(port) < 65_536


def split_address(value: str) -> tuple[str, str | None]:
    """host:port, [v6]:port, v6 or host → (host, port or None)."""
    if bracketed := re.fullmatch(r"\[([^\]]*)\](?::(.*))?", value):
        return bracketed[1], bracketed[2]
    if value.count(":") != 1:
        return value, None
    host, _, port = value.partition(":")
    return host, port


def is_host(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        # A name ending in a number would be read as an IPv4 address by some resolvers: 10.0.0.256, 127.1
        return bool(HOST.fullmatch(value)) and not value.rstrip(".").rpartition(".")[2].isdecimal()
    return True

"""Another repository than ours: which ones may be named, and how git speaks with them.

An address is judged as those of calls are (ZEN_OUTBOUND_ALLOW), and git dials what was judged. No program of the other
side's is run on this machine: a folder's own hooks would be the worker's, outside any sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpcore2
from django.conf import settings

from foundation.errors import BadInput
from foundation.outbound.address_guard import is_named
from foundation.outbound.guarded_connections import Refused, resolve

PORTS: Mapping[str, int] = {"git": 9418, "http": 80, "https": 443, "ssh": 22}
TRANSPORTS = ("file", *PORTS)
HELPER = re.compile(r"[A-Za-z0-9+.-]+::")
PROTOCOL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/]*)")
HOST = r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_][A-Za-z0-9._-]*"
SHORT = re.compile(rf"(?:[A-Za-z0-9_][\w.+-]*@)?({HOST}):", re.ASCII)
"""As ssh's own copy writes it: user@host:path."""
AUTHORITY = re.compile(rf"(?:[^@/%?#\\]*@)?(?:{HOST})(?::[0-9]*)?")
"""What we, git and curl read alike: git undoes %2f before it looks for the host, curl writes other letters in another
way than they are judged here, and neither ends a host where the other does."""
RECEIVER = (
    "git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.alternateRefsCommand=true"
    " -c receive.denyCurrentBranch=refuse -c receive.autogc=false receive-pack"
)
"""What takes a push into a folder of this machine, deaf to its hooks and to the programs of its configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """`named`: as it was given. `host` and `port` are of an address; a folder of this machine has none."""

    named: str
    scheme: str
    host: str = ""
    port: int = 0

    @property
    def is_folder(self) -> bool:
        """Whether it lies on this machine."""
        return not self.host

    @property
    def folder(self) -> Path:
        """Where on this machine, as git reads it; of an address nothing is asked for."""
        is_written_as_url = PROTOCOL.match(self.named) is not None
        return Path(unquote(self.named[len("file://") :]) if is_written_as_url else self.named).resolve()

    @property
    def is_of_a_run(self) -> bool:
        """Whether it is the repository of another project, whose branches are that project's own."""
        return self.is_folder and Path(settings.ZEN_DATA_DIR).resolve() in self.folder.parents

    def options(self) -> tuple[str, ...]:
        """Settings for the git that fetches or pushes, as `-c name=value`. The name is resolved and judged here.

        Raises:
            BadInput: it leads to an address that is not called, or to none.
        """
        if self.is_folder or is_named(self.host, self.port, settings.ZEN_OUTBOUND_ALLOW):
            return ("-c", "http.followRedirects=false")
        try:
            addresses = resolve(self.host.strip("[]"), self.port)
        except Refused as error:
            raise _refused(self.named, str(error), "name a public address, or have the site allow this one") from None
        except httpcore2.ConnectError as error:
            raise _refused(self.named, str(error), "correct the name of the host") from None
        pinned = f"{self.host.strip('[]')}:{self.port}:{','.join(f'[{a}]' if ':' in a else a for a in addresses)}"
        return ("-c", "http.followRedirects=false", "-c", f"http.curloptResolve={pinned}")

    def receiver(self) -> tuple[str, ...]:
        """Options of a push. A server's hooks are the server's own affair."""
        return (f"--receive-pack={RECEIVER}",) if self.is_folder else ()


def remote_of(source: str) -> Remote:
    """The repository that a text names; nothing is asked yet.

    Raises:
        BadInput: git would take it for an option or for a program to run; it holds a password; it is a folder beside
            the worker's, or one of the site's own.
    """
    named = PROTOCOL.match(source)
    short = SHORT.match(source) if named is None and not source.startswith("/") else None
    strange = HELPER.match(source) or (named and named[1].lower() not in TRANSPORTS) or not source.isprintable()
    if source.startswith("-") or strange or not (named or short or source.startswith("/")):
        remedy = f"give the absolute path of a folder, or an address with one of: {', '.join(TRANSPORTS)}"
        raise _refused(source, "this is no repository that can be cloned", remedy)
    if short is not None:
        return _at(source, "ssh", short[1], PORTS["ssh"])
    scheme = named[1].lower() if named else "file"
    if scheme == "file":
        return _folder(Remote(named=source, scheme=scheme), named[2] if named else "")
    try:
        parts = urlsplit(source)
        port = parts.port or PORTS[scheme]
    except ValueError:
        raise _refused("", "this address cannot be read", "write it as https://host/path") from None
    if parts.password is not None:
        shown = parts._replace(netloc=f"…@{parts.hostname}").geturl()
        remedy = "give the workers a credential helper of git's, or an ssh key; the address is kept and shown"
        raise _refused(shown, "the address holds a password", remedy)
    if named is not None and not AUTHORITY.fullmatch(named[2]):
        remedy = "write its host plainly, in ASCII (xn--… for other letters), with no % before the path"
        raise _refused(source, "the host of this address can be read in several ways", remedy)
    return _at(source, scheme, parts.hostname or "", port)


def _at(source: str, scheme: str, host: str, port: int) -> Remote:
    if not host or host.startswith("-"):
        raise _refused(source, "this is no repository that can be cloned", "name a host, as in https://host/path")
    return Remote(named=source, scheme=scheme, host=host, port=port)


def _folder(found: Remote, host: str) -> Remote:
    """Of the site's data only the repositories of projects: keys and what agents may write are none."""
    if host:
        raise _refused(found.named, "this is no folder of this machine", "write file:/// and its absolute path")
    data = Path(settings.ZEN_DATA_DIR).resolve()
    if found.folder != data and data not in found.folder.parents:
        return found
    inside = found.folder.relative_to(data).parts
    if len(inside) != 3 or inside[0] != "projects" or inside[2] != "repository.git":
        remedy = "name a repository outside of it, or the repository.git of a project"
        raise _refused(found.named, "this lies in the site's own data folder", remedy)
    return found


def _refused(source: str, message: str, remedy: str) -> BadInput:
    return BadInput(message, field="repository", value=source, remedy=remedy)

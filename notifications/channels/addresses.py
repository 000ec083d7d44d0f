"""A mail address as a header and SMTP take it: ASCII, with the name of its host in punycode. Pure."""

from __future__ import annotations

import re

import idna
from django.core.validators import EmailValidator

HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f.:]+\]|\[IPv6:[0-9A-Fa-f.:]+\]")


def as_sent(address: str) -> str:
    """The address in ASCII.

    A name before the @ that is not ASCII needs SMTPUTF8 on every server on the way; an encoded word in its place would
    be another address (RFC 2047, section 5). The host is encoded by IDNA 2008, as browsers do: straße.de is not
    strasse.de.

    Raises:
        ValueError: no header may hold it; the text is for the person who entered the address.
    """
    local, _, host = address.rpartition("@")
    if not local.isascii():
        raise ValueError(
            f"the part before the @ of {address[:100]!r} has letters that mail cannot carry; give an ASCII one"
        )
    if not EmailValidator.user_regex.match(local) or "\n" in local:
        raise ValueError(f"{address[:100]!r} is no e-mail address, such as ada@company.com")
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except idna.IDNAError as error:
            raise ValueError(f"the host of {address[:100]!r} has no form in ASCII: {error}") from None
    if not HOST.fullmatch(host):
        raise ValueError(f"{address[:100]!r} is no e-mail address, such as ada@company.com")
    return f"{local}@{host}"

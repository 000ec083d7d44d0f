"""Filling in a URL, so that a value can never become more than the piece of it that it stands for (rule 3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, unquote, urlsplit

from pydantic import JsonValue

from orchestration.core.templates.budget import Budget
from orchestration.core.templates.lookup import BadValue, Scope, short
from orchestration.core.templates.tokens import Token, insert, refuse_new_secrets, sound, text_of, tokens_of

HOST = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
BASE = re.compile(rf"https?://(?:{HOST.pattern})(?:[/?#][^\s\\\x00-\x20\x7f]*)?")
AUTHORITY = re.compile(r"https?://[^/?#]*")
ENDS_PATH = re.compile(r"[?#]")
ABSOLUTE_PATH = re.compile(r"/(?!/)[^\s\\\x00-\x20\x7f]*")
LOCATION = ".response.headers.location"
"""End of the name of a header that is an address itself: it may begin a URL, or follow the host as its path."""
SAMPLE = "1"
"""Stands for any value: right as a host, a port, a segment."""
UNFIT = re.compile(r"[\s\\\x00-\x20\x7f]")
NO_START = "is not an http(s) URL with a host; begin it with http:// or https:// and a host, or a placeholder for that"


def fill_url(tokens: Sequence[Token], scope: Scope, budget: Budget) -> str:
    """The URL, http(s) with a host. Raises BadValue for a value that would not stay in its place."""
    url, in_path = "", []
    for index, token in enumerate(sound(tokens)):
        if not token.name:
            url += token.text
            continue
        value = insert(token, scope, budget)
        if not url and _is_location(token) and str(value).startswith("/"):
            value = insert(Token(name=f"{token.name[: -len(LOCATION)]}.response.location"), scope, budget)
        piece = _piece(value, token, url) if url else _base(value, token, tokens[index + 1 :])
        if _is_path(url):
            in_path.append((len(url), len(url) + len(piece), token))
        url += piece
    refuse_new_secrets(url, tokens)
    for start, end, token in in_path:
        _check_segment(url, start, end, token)
    fault = _unreadable(url)
    if fault:
        raise BadValue(fault)
    return url


def faults_of_url(tokens: Sequence[Token]) -> list[str]:
    """What is wrong with a URL template before any value is known; empty when nothing is."""
    literal = "".join(SAMPLE if token.name else token.text for token in tokens)
    found = []
    if UNFIT.search(literal):
        found.append("a URL holds no spaces, line breaks or backslashes; write %20 for a space")
    if tokens and tokens[0].name:
        if literal.startswith(f"{SAMPLE}:"):
            found.append(
                "a placeholder cannot be the scheme of a URL alone; write http:// or https://, or put all of it there"
            )
        return found
    start = AUTHORITY.match(literal)
    if start is None or start[0].endswith("//"):
        return [*found, NO_START]
    if "{secret:" in start[0]:
        found.append("a secret cannot stand in the host of a URL; send it in a header")
    elif _unreadable(literal):
        found.append(_unreadable(literal))
    return found


def route_of(url: str) -> str:
    """The path of a URL template, each placeholder as {}: the same for every value. No base, no query."""
    shape = "".join("{}" if token.name else token.text for token in tokens_of(url))
    start = AUTHORITY.match(shape)
    path = shape[start.end() :] if start else shape.removeprefix("{}")
    return ENDS_PATH.split(path, maxsplit=1)[0]


def _base(value: JsonValue, token: Token, rest: Sequence[Token]) -> str:
    """A whole base URL, inserted as it is; one final slash makes way for the one that the template goes on with."""
    if not isinstance(value, str) or not BASE.fullmatch(value):
        raise BadValue(
            f"{{{token.name}}} begins a URL, so it must be http(s)://host[:port][/path], not {short(text_of(value))}"
        )
    if rest and ("?" in value or "#" in value):
        raise BadValue(f"{{{token.name}}} is followed by more of the URL, so it must have no query or fragment")
    goes_on = bool(rest) and (rest[0].text.startswith("/") or _is_location(rest[0]))
    return value.removesuffix("/") if goes_on else value


def _piece(value: JsonValue, token: Token, before: str) -> str:
    if not AUTHORITY.match(before):
        raise BadValue(f"{{{token.name}}} stands in the scheme of a URL; write http:// or https://")
    if AUTHORITY.fullmatch(before):
        text = text_of(value)
        if HOST.fullmatch(text) or (_is_location(token) and ABSOLUTE_PATH.fullmatch(text)):
            return text
        raise BadValue(f"{{{token.name}}} stands in the host of a URL, so it must be host[:port], not {short(text)}")
    if value is None or isinstance(value, dict | list):
        what = "null" if value is None else "a list or mapping"
        raise BadValue(f"{{{token.name}}} stands in a URL and is {what}, not a text or number")
    try:
        return quote(text_of(value), safe="")
    except UnicodeEncodeError:
        raise BadValue(f"{{{token.name}}} stands in a URL and holds half a surrogate pair") from None


def _is_location(token: Token) -> bool:
    return token.name.lower().endswith(LOCATION)


def _is_path(before: str) -> bool:
    return bool(AUTHORITY.match(before)) and not AUTHORITY.fullmatch(before) and not set("?#") & set(before)


def _check_segment(url: str, start: int, end: int, token: Token) -> None:
    """A value must not leave a path segment empty, nor make it `.` or `..`: it would name another resource."""
    first = url.rfind("/", 0, start) + 1
    ends = [at for at in (url.find(mark, end) for mark in "/?#") if at >= 0]
    segment = unquote(url[first : min(ends, default=len(url))])
    if segment in ("", ".", ".."):
        raise BadValue(f"{{{token.name}}} would make the path segment '{segment}' in a URL; it must name something")


def _unreadable(url: str) -> str:
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError as error:
        return f"the URL {short(url)} cannot be read: {error}; correct its host and port"
    return "" if parts.hostname and port_is_fine and parts.scheme in ("http", "https") else f"{short(url)} {NO_START}"

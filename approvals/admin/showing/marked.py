"""Markdown of strangers: no HTML, no images, no links but to the web, and each says where it leads."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from orchestration.templatetags.zen import visible

MOST_CHARACTERS = 10_000
"""What is parsed at once: some texts take time that grows with the square of their length."""

SCHEMES = {"http", "https", "mailto"}
TAGS = {
    "p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h3", "h4", "h5", "h6",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_PARSER = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])


def markdown(text: str) -> SafeString:
    """The first MOST_CHARACTERS of it as clean HTML."""
    tokens = _PARSER.parse(visible(text[:MOST_CHARACTERS]))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + 2, 6)}"  # below the page's own headings
        if token.children:
            token.children = list(_told(token.children))
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    clean = nh3.clean(
        html, tags=TAGS, attributes={"a": {"href"}}, url_schemes=SCHEMES, link_rel="noopener nofollow noreferrer"
    )
    return mark_safe(clean)  # noqa: S308 - cleaned


def host_of(address: str) -> str:
    """Where a link leads, as its ASCII name; '' for what leads nowhere."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError:
        return ""
    if parts.scheme == "mailto":
        return visible(parts.path[:200])
    return visible(host) if parts.scheme in ("http", "https") else ""


def _told(tokens: list[Token]) -> Iterator[Token]:
    """Links with their host behind them; images as a link to what would have been fetched."""
    hosts: list[str] = []
    for token in tokens:
        if token.type == "image":
            yield from _instead_of_image(token, inside_link=bool(hosts))
        elif token.type == "link_open":
            hosts.append(host_of(str(token.attrGet("href") or "")))
            if hosts[-1]:
                yield token
        elif token.type == "link_close":
            host = hosts.pop()
            if host:
                yield token
            yield _text(f" ({host or 'a link that leads nowhere outside'})")
        else:
            yield token


def _instead_of_image(token: Token, *, inside_link: bool) -> Iterator[Token]:
    address, alt = str(token.attrGet("src") or ""), token.content or "without a name"
    host = host_of(address)
    if not host or inside_link:
        yield _text(f"[image: {alt}{f', {address[:200]}' if host else ''}]")
        return
    opening = Token("link_open", "a", 1, attrs={"href": address})
    yield from (opening, _text(f"[image: {alt}]"), Token("link_close", "a", -1), _text(f" ({host})"))


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)

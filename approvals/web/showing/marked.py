"""Markdown of any origin: no HTML, no images, only links to the web, each with the host it leads to.

No word of a text that people approve is lost: where Markdown would not show one (a link's definition or title, cells
beyond a table's head), the text is shown as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

import nh3
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from approvals.core.content import shows
from foundation.templatetags.zen import visible

MOST_CHARACTERS = 10_000
"""What is parsed at once: some texts take time that grows with the square of their length."""

SCHEMES = {"http", "https", "mailto"}
TAGS = {
    "p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h3", "h4", "h5", "h6",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
NOWHERE = "a link that leads nowhere outside"
INLINE = {"a", "code", "em", "s", "strong"}
_PARSER = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])


def described(text: str) -> SafeString:
    """As Markdown; as it is where Markdown would not show all of it, and where it is too long to be parsed."""
    if len(text) <= MOST_CHARACTERS:
        html = markdown(text)
        if shows(visible(text), _read(html)):
            return html
    return as_it_is(text)


def as_it_is(text: str) -> SafeString:
    return format_html("<pre>\n{}</pre>", visible(text))


def markdown(text: str) -> SafeString:
    """The first MOST_CHARACTERS of it as clean HTML."""
    tokens = [shown for token in _PARSER.parse(visible(text[:MOST_CHARACTERS])) for shown in _with_its_info(token)]
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + 2, 6)}"  # below the page's own headings
        if token.children:
            token.children = list(_told(token.children))
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    attributes = {"a": {"href"}, "ol": {"start"}}
    clean = nh3.clean(
        html, tags=TAGS, attributes=attributes, url_schemes=SCHEMES, link_rel="noopener nofollow noreferrer"
    )
    return mark_safe(clean)  # noqa: S308 - cleaned


def _read(html: str) -> str:
    """What a reader sees of it, with the numbers of its lists."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return "".join(reader.seen)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self._numbers: list[int | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("ol", "ul"):
            self._numbers.append(int(dict(attrs).get("start") or 1) if tag == "ol" else None)
        if tag == "li" and self._numbers and self._numbers[-1] is not None:
            self.seen.append(f" {self._numbers[-1]}")
            self._numbers[-1] += 1
        self._part(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("ol", "ul") and self._numbers:
            self._numbers.pop()
        self._part(tag)

    def handle_data(self, data: str) -> None:
        self.seen.append(data)

    def _part(self, tag: str) -> None:
        if tag not in INLINE:
            self.seen.append("\n")


def _with_its_info(token: Token) -> Iterator[Token]:
    """A block of code with what stands behind its fence, such as its language, above it."""
    if token.type == "fence" and token.info.strip():
        inline = Token("inline", "", 0, children=[_text(token.info.strip())])
        yield from (Token("paragraph_open", "p", 1, block=True), inline, Token("paragraph_close", "p", -1, block=True))
    yield token


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
    """Links with where they lead behind them; images as a link to what would have been fetched."""
    address, host, label, inside = "", "", "", False
    for token in tokens:
        if token.type == "image":
            yield from _instead_of_image(token, inside_link=inside)
        elif token.type == "link_open":
            address, label, inside = str(token.attrGet("href") or ""), "", True
            host = host_of(address)
            if host:
                yield token
        elif token.type == "link_close":
            inside = False
            if host:
                yield token
            yield _text(f" ({_leads_to(address, host or NOWHERE, label)})")
        else:
            label += token.content
            yield token


def _leads_to(address: str, host: str, label: str) -> str:
    """The host, and the whole address where the link's own text is another one."""
    return host if label in (address, address.removeprefix("mailto:")) else f"{host}: {address}"


def _instead_of_image(token: Token, *, inside_link: bool) -> Iterator[Token]:
    address, alt = str(token.attrGet("src") or ""), token.content or "without a name"
    host = host_of(address)
    if not host or inside_link:
        yield _text(f"[image: {alt}{f', {address[:200]}' if host else ''}]")
        return
    opening = Token("link_open", "a", 1, attrs={"href": address})
    yield from (opening, _text(f"[image: {alt}]"), Token("link_close", "a", -1), _text(f" ({host}: {address})"))


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)

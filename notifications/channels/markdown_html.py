"""Markdown from anywhere as HTML that may be mailed: no scripts, no forms, nothing that is fetched."""

from __future__ import annotations

from html import escape

import nh3
from markdown_it import MarkdownIt

from notifications.channels.envelope import Item

TAGS = frozenset({
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
})  # fmt: skip
_markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def rendered(markdown: str) -> str:
    return nh3.clean(
        _markdown.render(markdown),
        tags=set(TAGS),
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )


def page(items: tuple[Item, ...]) -> str:
    return f"<!doctype html><html><body>{'<hr>'.join(map(_part, items))}</body></html>"


def _part(item: Item) -> str:
    link = f'<p><a href="{escape(item.url)}" rel="noopener noreferrer">Open in Zen</a></p>' if item.url else ""
    return f"<h2>{escape(item.title)}</h2>{rendered(item.text)}{link}"


def plain(items: tuple[Item, ...]) -> str:
    """The Markdown source, which people can read."""
    parts = ["\n\n".join(filter(None, (item.title, item.text.strip(), item.url))) for item in items]
    return "\n\n----\n\n".join(parts) + "\n"

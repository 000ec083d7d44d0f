"""Markdown as Slack's own markup. What Slack would turn into a mention or a link by itself is only text here."""

from __future__ import annotations

from collections.abc import Iterable

from markdown_it import MarkdownIt
from markdown_it.token import Token

from foundation.visible_text import cut

_markdown = MarkdownIt("commonmark", {"html": False}).enable("strikethrough")
MARKS = {"strong": "*", "em": "_", "s": "~"}


def mrkdwn(markdown: str, most: int) -> str:
    """At most so many characters; a longer text is shown as its source, so that no markup is cut in two."""
    text = "".join(_blocks(_markdown.parse(markdown))).strip()
    return text if len(text) <= most else escape_within(markdown, most)


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_within(text: str, most: int) -> str:
    """Escaped, and cut so that it still fits and no escape is cut in two."""
    room = most
    while len(escape(cut(text, room))) > most:
        room = room - max(1, (len(escape(cut(text, room))) - most) // 5)
    return escape(cut(text, room))


def link(url: str, label: str) -> str:
    safe = escape(url).replace("|", "%7C")
    return f"<{safe}|{escape(label).replace('|', '/')}>" if url.startswith(("http://", "https://")) else escape(label)


def _blocks(tokens: Iterable[Token]) -> Iterable[str]:
    quoted, lists = 0, []  # type: ignore[var-annotated]
    for token in tokens:
        match token.type:
            case "inline":
                text = "".join(_inline(token.children or []))
                yield text.replace("\n", "\n> ") if quoted else text
            case "heading_open" | "heading_close":
                yield "*" if token.nesting > 0 else "*\n\n"
            case "paragraph_open":
                yield "> " if quoted else ""
            case "paragraph_close":
                yield "\n" if lists else "\n\n"
            case "bullet_list_open" | "ordered_list_open":
                lists.append(int(token.attrs.get("start", 1)) if token.type.startswith("ordered") else 0)
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
                yield "" if lists else "\n"
            case "list_item_open":
                yield "    " * (len(lists) - 1) + (f"{lists[-1]}. " if lists[-1] else "• ")
                lists[-1] += bool(lists[-1])
            case "blockquote_open" | "blockquote_close":
                quoted += token.nesting
            case "fence" | "code_block":
                yield f"```\n{escape(token.content)}```\n\n"
            case "hr":
                yield "---\n\n"


def _inline(tokens: Iterable[Token]) -> Iterable[str]:
    """A link's text is collected until it closes: Slack has no markup inside it."""
    href, label = "", ""
    for token in tokens:
        name = token.type.removesuffix("_open").removesuffix("_close")
        if token.type == "link_open":
            href, label = str(token.attrs.get("href", "")), ""
        elif token.type == "link_close":
            yield link(href, label or href)
            href = ""
        elif href:
            label += token.content
        elif name in MARKS:
            yield MARKS[name]
        elif token.type == "code_inline":
            yield f"`{escape(token.content)}`"
        elif token.type in ("softbreak", "hardbreak"):
            yield "\n"
        else:
            yield escape(token.content)

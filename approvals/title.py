"""What a request is called wherever a line has to do: in the inbox, in the subject of a mail, above its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markdown_it import MarkdownIt

LONGEST = 300
_READ = 2_000
_PARSER = MarkdownIt("commonmark", {"html": False}).enable("strikethrough")


def title_of(content: Mapping[str, Any]) -> str:
    """The title that was given, or the first line of the description without its Markdown, or the stage."""
    first = str(content["description"]).strip().partition("\n")[0]
    return (content.get("title") or _unmarked(first[:_READ]) or str(content["stage"]))[:LONGEST]


def _unmarked(line: str) -> str:
    inline = next((token for token in _PARSER.parse(line) if token.type == "inline"), None)
    parts = [token.content for token in inline.children or () if token.content] if inline else []
    return "".join(parts).strip() or line

"""Filters that show values which users or services wrote: bounded in length, hidden characters spelled out."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.utils import timezone

register = template.Library()
KEPT = "\n\t\u200c\u200d"
"""Line breaks, and the joiners that some scripts and emoji are written with."""
NOT_PLAIN = re.compile(r"[^\x20-\x7e\n\t]+")


@register.filter
def visible(value: object) -> str:
    """Control and direction characters as \\u202e: they could make a text read as another one."""
    text = "" if value is None else str(value)
    return NOT_PLAIN.sub(lambda found: "".join(map(_visible, found[0])), text)


@lru_cache(maxsize=4096)
def _visible(character: str) -> str:
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in KEPT
    return f"\\u{ord(character):04x}" if hidden else character


@register.filter
def as_json(value: object, most: int = 500) -> str:
    """A value as compact JSON; a long one is cut, and says how long it was."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return visible(text) if len(text) <= most else f"{visible(text[:most])}… ({len(text):,} characters)"


@register.filter
def pairs(value: dict[str, Any], most: int = 500) -> str:
    """An event's data as key=value; what is empty says nothing."""
    found = [f"{key}={_bare(item)}" for key, item in value.items() if item not in ("", None, [], {})]
    text = " ".join(found)
    return visible(text) if len(text) <= most else f"{visible(text[:most])}… ({len(text):,} characters)"


def _bare(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


@register.filter
def clip(value: object, most: int = 1000) -> str:
    """The text, or its first `most` characters and how many there are."""
    text = "" if value is None else str(value)
    return visible(text) if len(text) <= most else f"{visible(text[:most])}… ({len(text):,} characters)"


@register.filter
def short(value: object, most: int = 80) -> str:
    """For a button or a heading, where the number of what is left out would be read as part of it."""
    text = str(value)
    return visible(text) if len(text) <= most else f"{visible(text[: most - 1].rstrip())}…"


@register.filter
def moment(value: datetime | str | None) -> str:
    """Local date and time to the millisecond, of a text in ISO 8601 too; '' for None."""
    value = datetime.fromisoformat(value) if isinstance(value, str) and value else value
    return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] if isinstance(value, datetime) else ""

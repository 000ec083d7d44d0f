"""How a status looks: a tone, which is a colour, and an icon, which says the same without colour."""

from __future__ import annotations

from typing import NamedTuple


class Look(NamedTuple):
    """`tone`: calm, busy, warn, bad or good. `icon`: a symbol of the page's icon set."""

    tone: str
    icon: str


PLAIN = Look("calm", "dot")
UNFOLD = {"good": "success", "bad": "danger", "warn": "warning", "busy": "info"}
"""Tone to the variant of unfold's labels, in lists."""

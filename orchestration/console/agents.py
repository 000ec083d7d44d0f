"""Endpoints of agents at a terminal."""

from __future__ import annotations

import sys
from typing import Any

from rich.markup import escape
from rich.table import Table

from foundation.console.tables import folded, whole
from orchestration.agents.base import Health

FIELDS = ("name", "agent_type", "driver", "enabled", "health", "circuit", "active", "concurrency", "version")
COLOURS = {"healthy": "green", "failing": "yellow", "out_of_service": "red", "open": "red", "half_open": "yellow"}


def endpoints(views: list[dict[str, Any]]) -> None:
    """At a terminal a table; else a line each, its fields apart by tabs, for other programs."""
    if not sys.stdout.isatty():
        for view in views:
            print(*(view[name] for name in FIELDS), sep="\t")
        return
    table = Table("name", "type", "driver", "on", "health", "circuit", "sessions", "version", box=None, pad_edge=False)
    for view in views:
        sessions = f"{view['active']} of {view['concurrency']}"
        table.add_row(
            escape(view["name"]), view["agent_type"], view["driver"], "yes" if view["enabled"] else "no",
            _coloured(view["health"]), _coloured(view["circuit"]), sessions, escape(view["version"]),
        )  # fmt: skip
    whole(table)


def endpoint(view: dict[str, Any]) -> None:
    """Every field of one, a line each; what is empty is left out."""
    table = Table("field", "value", box=None, pad_edge=False, show_header=False)
    for key, value in view.items():
        if value not in ("", None, [], {}):
            table.add_row(key, escape(str(value)))
    folded(table)


def checked(name: str, found: Health) -> None:
    """What a check found, in words."""
    signed_in = {None: "not known before a session", True: "yes", False: "no"}[found.signed_in]
    print(f"{name}: {'a session may begin' if found.usable else 'not usable'}")
    print(f"  installed: {'yes' if found.installed or found.version else 'no'}")
    print(f"  version:   {found.version or '-'}")
    print(f"  signed in: {signed_in}")
    if found.detail:
        print(f"  {found.detail}")


def _coloured(word: str) -> str:
    colour = COLOURS.get(word)
    text = word.replace("_", " ")
    return f"[{colour}]{text}[/{colour}]" if colour else text

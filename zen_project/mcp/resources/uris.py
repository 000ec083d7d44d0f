"""The addresses of resources."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote

Kind = Literal["run", "events", "approval", "project", "definition"]
LONGEST = 1000
ADDRESS = re.compile(r"(run|approval|project|definition)://([^/?#\s]+)(/events)?")


@dataclass(frozen=True, slots=True)
class Template:
    """What resources of a kind have in common. `argument`: what its id is called in `uri`."""

    kind: Kind
    uri: str
    argument: str
    title: str
    description: str


TEMPLATES = (
    Template("run", "run://{workflow_id}", "workflow_id", "Run", "A run as get_run answers it."),
    Template(
        "events", "run://{workflow_id}/events", "workflow_id", "Events of a run",
        "The latest that happened to a run, in order; get_events has all.",
    ),
    Template(
        "approval", "approval://{request_id}", "request_id", "Approval",
        "A request for approval as get_approval answers it.",
    ),
    Template(
        "project", "project://{workflow_id}", "workflow_id", "Project",
        "A project with its tasks, requirements, gates and cost.",
    ),
    Template(
        "definition", "definition://{saga_id}", "saga_id", "Definition", "The latest published version of a saga.",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """What stands at an address."""

    kind: Kind
    ident: str


def uri_of(place: Place) -> str:
    """Its address, with everything in the id that could be read as a part of an address in percent signs."""
    scheme, end = ("run", "/events") if place.kind == "events" else (place.kind, "")
    return f"{scheme}://{quote(place.ident, safe='')}{end}"


def place_at(uri: str) -> Place | None:
    """What stands at this address, whether there is such a thing or not; None where nothing can."""
    found = ADDRESS.fullmatch(uri) if len(uri) <= LONGEST else None
    if found is None or (found[3] and found[1] != "run"):
        return None
    kind: Kind = "events" if found[3] else found[1]  # type: ignore[assignment]
    ident = unquote(found[2])
    return Place(kind, ident) if ident and "\0" not in ident else None

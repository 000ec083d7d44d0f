"""How far things are: a mark is another one once a thing has changed, whichever process changed it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from typing import Any

from django.db.models import Count, Max

from approvals.models import Request
from orchestration.models import AgentAttempt, Definition, Run
from zen_project.mcp.resources.uris import Kind, Place

Mark = tuple[Any, ...]
MOST_AT_ONCE = 500
DEEPEST = 4
"""Levels of runs below a project that are looked at: its work, the tasks' own runs, and what they ask."""

LIST = "list"
"""Instead of a place: the list of resources."""

Subject = Place | str


def marks_of(subjects: Collection[Subject]) -> dict[Subject, Mark]:
    """The mark of each; what there is not has none."""
    by_kind: defaultdict[Kind, list[str]] = defaultdict(list)
    for one in subjects:
        if isinstance(one, Place):
            by_kind[one.kind].append(one.ident)
    found: dict[Subject, Mark] = {LIST: _list()} if LIST in subjects else {}
    for kind, idents in by_kind.items():
        for some in (idents[at : at + MOST_AT_ONCE] for at in range(0, len(idents), MOST_AT_ONCE)):
            found |= {Place(kind, ident): mark for ident, mark in MARKS[kind](some)}
    return found


def _list() -> Mark:
    latest = [model.objects.order_by("-pk").values_list("pk", flat=True).first() for model in (Run, Definition)]
    return tuple(latest)


def _runs(idents: list[str]) -> Iterator[tuple[str, Mark]]:
    for ident, *mark in Run.objects.filter(workflow_id__in=idents).values_list("workflow_id", "pk", "version"):
        yield ident, tuple(mark)


def _approvals(idents: list[str]) -> Iterator[tuple[str, Mark]]:
    found = Request.objects.filter(request_id__in=idents).annotate(said=Max("remarks__pk"))
    for ident, *mark in found.values_list("request_id", "pk", "run__version", "said"):
        yield ident, tuple(mark)


def _projects(idents: list[str]) -> Iterator[tuple[str, Mark]]:
    heads = Run.objects.filter(workflow_id__in=idents, kind=Run.PROJECT)
    names = {pk: (ident, pk) for ident, pk in heads.values_list("workflow_id", "pk")}
    marks: dict[str, list[Any]] = {ident: [pk] for ident, pk in names.values()}
    level: dict[int, str] = {pk: ident for ident, pk in names.values()}
    for _ in range(DEEPEST):
        rows = Run.objects.filter(pk__in=level).values_list("pk", "version")
        work = AgentAttempt.objects.filter(run__in=level).values("run").annotate(n=Count("pk"), end=Max("ended_at"))
        for pk, version in sorted(rows):
            marks[level[pk]].append((pk, version))
        for row in sorted(work, key=lambda one: int(one["run"])):
            marks[level[row["run"]]].append((row["run"], row["n"], row["end"]))
        below = Run.objects.filter(parent__in=level).values_list("pk", "parent")
        level = {pk: level[parent] for pk, parent in below if parent is not None}
        if not level:
            break
    for ident, mark in marks.items():
        yield ident, tuple(mark)


def _definitions(idents: list[str]) -> Iterator[tuple[str, Mark]]:
    found = Definition.objects.filter(saga_id__in=idents, listed=True).values("saga_id").order_by()
    for row in found.annotate(latest=Max("version"), n=Count("pk")):
        yield row["saga_id"], (row["latest"], row["n"])


MARKS: dict[Kind, Callable[[list[str]], Iterator[tuple[str, Mark]]]] = {
    "run": _runs,
    "events": _runs,
    "approval": _approvals,
    "project": _projects,
    "definition": _definitions,
}

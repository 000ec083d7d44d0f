"""What runs left in this machine's `ZEN_DATA_DIR/projects` goes with their rows (docs/howto/retention.md).

Of a run that was removed everything goes. Of one that was condensed, what a kill or a forced stop left goes; a project
keeps its repository as long as its row, the agents' work of any other saga goes with the saga's details. A folder that
no row tells of is left alone: it may belong to another database.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from django.conf import settings

from foundation.db.outages import AWAY
from foundation.guarded import guarded, logged
from orchestration.agents.workspace.janitor import janitor
from orchestration.agents.workspace.layout import RUN_FILE, Layout, folder_name
from orchestration.models import Archive, Run, Tombstone

log = logging.getLogger("workflows")
MOST = 500
"""Folders that are looked at together."""


def clear_old() -> None:
    """Look at all folders once. What cannot be removed is logged, and left for the next time."""
    names = iter(_folders())
    while batch := list(itertools.islice(names, MOST)):
        for workflow_id, keep_repository in _old(batch):
            clear = partial(janitor, workflow_id, keep_repository=keep_repository)
            found = guarded(clear, partial(_put_off, workflow_id))
            if found is not None and found.faults:
                log.error("the folder of run %s cannot be cleared: %s", workflow_id, "; ".join(found.faults)[:1000])


def _put_off(workflow_id: str, error: Exception) -> None:
    """Where it is not the database that is away: then no other folder could be looked at either."""
    if isinstance(error, AWAY):
        raise error
    logged(log, "the folder of run %s cannot be cleared", workflow_id)(error)


def _folders() -> Iterator[str]:
    """The runs of the folders here."""
    home = Path(settings.ZEN_DATA_DIR) / "projects"
    for folder in sorted(home.iterdir()) if home.is_dir() else ():
        if folder.is_symlink() or not folder.is_dir():
            continue
        named = folder / RUN_FILE
        workflow_id = named.read_text(errors="replace") if named.is_file() else folder.name
        if folder_name(workflow_id) == folder.name:
            yield workflow_id


def _old(workflow_ids: list[str]) -> Iterator[tuple[str, bool]]:
    """Those of these runs whose folder is due, and whether its repository stays."""
    removed = Tombstone.objects.filter(workflow_id__in=workflow_ids).values_list("workflow_id", flat=True)
    condensed = dict(
        Archive.objects.filter(run__workflow_id__in=workflow_ids).values_list("run__workflow_id", "run__kind")
    )
    yield from ((workflow_id, False) for workflow_id in removed)
    for workflow_id, kind in condensed.items():
        is_project = kind == Run.PROJECT
        if not is_project or _has_leftovers(workflow_id):
            yield workflow_id, is_project


def _has_leftovers(workflow_id: str) -> bool:
    """Whether a project has more than its repository here."""
    return any(place.exists() for place in Layout.of(workflow_id).temporary)

"""Whether this process can serve: `/readyz`, asked again and again, and `/startupz`, good for ever once it was good.

Only what no request can do without: an engine, a broker or a mail server that is away must not take the site away.
"""

from __future__ import annotations

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from monitoring.examine import Finding, State, examine, own_connection
from monitoring.queries.shared import Shared

SECONDS = 2.0

_known: set[str] = set()
"""What stays as it is once it is good: `migrations`, and `started`."""


@own_connection
def database() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Finding(state=State.OK)


@own_connection
def migrations() -> Finding:
    """Whether all of this release's are applied; a database of a later release is as good."""
    if "migrations" in _known:
        return Finding(state=State.OK)
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        detail = f"{len(missing)} are not applied, the first is {missing[0][0]}"
        return Finding(state=State.DOWN, detail=detail, remedy="run: manage.py migrate")
    _known.add("migrations")
    return Finding(state=State.OK)


def readyz(request: HttpRequest) -> JsonResponse:
    """200 or 503 with `{"ok", "parts": {part: "ok" or what is wrong}}`."""
    parts = _shared.get()
    ok = all(told == "ok" for told in parts.values())
    if ok:
        _known.add("started")
    return JsonResponse({"ok": ok, "parts": parts}, status=200 if ok else 503, headers={"Cache-Control": "no-store"})


def startupz(request: HttpRequest) -> JsonResponse:
    """As `readyz` until that was good once; good from then on."""
    return JsonResponse({"ok": True, "parts": {}}) if "started" in _known else readyz(request)


def forget() -> None:
    """Know nothing, as at the process's start."""
    _known.clear()
    _shared.forget()


def _parts() -> dict[str, str]:
    found = examine({"database": database, "migrations": migrations}, seconds=SECONDS)
    return {one.part: "ok" if one.state is State.OK else _in_words(one) for one in found}


def _in_words(found: Finding) -> str:
    """Without the address of the database and the like: anybody may ask."""
    return found.detail if found.remedy else "it does not answer"


_shared = Shared(_parts, seconds=1.0)
"""Anybody may ask, as often as they like."""

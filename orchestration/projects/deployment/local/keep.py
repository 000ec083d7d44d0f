"""What serves goes on serving: a service of every worker starts again a switch or a process that died.

It acts on this machine's deployments only, and leaves alone one that a deployment works on at the moment. What dies
again and again is started less and less often, at most once a minute.
"""

from __future__ import annotations

import logging
import time

from orchestration.projects.deployment.local import processes, replicas, switch
from orchestration.projects.deployment.local.folder import Busy, Folder, Record, folders, locked, read

log = logging.getLogger(__name__)
LONGEST_PAUSE = 60.0
CALM_SECONDS = 300.0
_tried: dict[str, tuple[int, float]] = {}
"""What was started again → how often in a row, and when last (monotonic seconds)."""


def keep_running() -> int:
    """Look once at every deployment of this machine; how many things were started again."""
    return sum(_look(folder) for folder in folders() if _lacks(folder, read(folder)))


def _lacks(folder: Folder, record: Record) -> bool:
    """Whether something that should run does not."""
    if not record.port or not record.releases:
        return False
    running = [processes.is_running(folder.replica(one.release, one.replica)) for one in record.routing]
    return not (switch.is_running(folder) and all(running))


def _look(folder: Folder) -> int:
    try:
        with locked(folder, wait=False) as record:
            return _mend(folder, record) if _lacks(folder, record) else 0
    except Busy:
        return 0


def _mend(folder: Folder, record: Record) -> int:
    done = 0
    for place in record.routing:
        where = folder.replica(place.release, place.replica)
        if not processes.is_running(where) and _is_due(str(where)):
            try:
                replicas.ensure(folder, record, place)
            except replicas.NotUp as error:
                log.warning("deployment %s: %s cannot be started again: %s", folder.name, replicas.title(place), error)
            else:
                log.warning("deployment %s: %s had died and was started again", folder.name, replicas.title(place))
                done += 1
    if not switch.is_running(folder) and _is_due(str(folder.path)):
        try:
            switch.ensure(folder, record)
        except switch.SwitchFault as error:
            log.warning("deployment %s: the switch cannot be started again: %s", folder.name, error)
        else:
            log.warning("deployment %s: the switch had died and was started again", folder.name)
            done += 1
    return done


def _is_due(what: str) -> bool:
    """Whether it may be tried now; notes that it is."""
    count, last = _tried.get(what, (0, 0.0))
    passed = time.monotonic() - last
    if count and passed < min(LONGEST_PAUSE, 2.0 ** (count - 1)):
        return False
    _tried[what] = (1 if passed > CALM_SECONDS else count + 1, time.monotonic())
    return True

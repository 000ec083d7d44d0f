"""The probes of this site: functions that look at one part each and say what is wrong with it.

Those of the doctor return a `Finding`: `servers` has the database, the broker, Temporal and the mail server; `work`
workers and what waits for them; `host` the settings, the data folder and scripts; `findings` makes them of the site's.

Those of the site yield the issues of one code (`monitoring.core.site`), in queries of constant cost: `waiting` has what
waits for workers and engines, `outgoing` notices and callbacks, `upkeep` clocks, disks, the audit and the watch,
`agents` those that are signed out, `site` all of them together. `monitoring.watch.site` asks every ten seconds, and so
does a page or a command when nobody else does.

`PROBES` names the doctor's, in the order in which they are shown. A probe may raise and may hang: `monitoring.examine`
bounds it.
"""

from collections.abc import Callable

from monitoring.examine import Finding
from monitoring.probes import agents, outgoing, upkeep
from monitoring.probes.findings import finding_of
from monitoring.probes.host import data_folder, scripts, settings_rules
from monitoring.probes.servers import broker, database, mail, temporal
from monitoring.probes.work import backlog, workers

PROBES: dict[str, Callable[[], Finding]] = {
    "settings": settings_rules,
    "data folder": data_folder,
    "database": database,
    "broker": broker,
    "temporal": temporal,
    "workers": workers,
    "backlog": backlog,
    "watch": finding_of(upkeep.monitoring_behind, upkeep.prune_behind),
    "messages": finding_of(outgoing.notices_undelivered, outgoing.callbacks_dead),
    "agents": agents.agents,
    "audit": finding_of(upkeep.audit_unprotected, upkeep.seal_missing),
    "clocks": finding_of(upkeep.clock_skew),
    "disks": finding_of(upkeep.disk_low),
    "mail": mail,
    "scripts": scripts,
}

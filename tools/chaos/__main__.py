"""`python -m tools.chaos [--seed N] [--seconds S]`: the figures as a table and as one line of JSON.

Exit code 0: nothing lost, stuck, doubled or undone wrongly, the audit whole, and recovery within its goal. 1: not. The
seed that is printed chooses the same faults again.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tools.chaos.judge import faults_by_kind, judge
from tools.chaos.plan import ENGINES, WORKERS, Fault, plan
from tools.chaos.records import Hit
from tools.chaos.table import printed, shown

SETTLING_SECONDS = 300.0
"""After the last fault, for all that was started to end; what has not ended then is stuck."""


def main() -> int:
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="zen-chaos-") as kept:
        folder = Path(given.logs or kept)
        folder.mkdir(parents=True, exist_ok=True)
        told = run(given.seed, given.seconds, given.pause, folder)
    print(json.dumps(told), flush=True)
    return int(not (told["clean"] and (told["recovers_in_time"] or given.any_speed)))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="of the faults and the sagas")
    parser.add_argument("--seconds", type=float, default=1200.0, help="how long sagas are started and faults injected")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two starts")
    parser.add_argument("--logs", default="", help="a folder that keeps the logs of workers and servers")
    parser.add_argument("--any-speed", action="store_true", help="let a recovery beyond its goal be no failure")
    return parser.parse_args()


def run(seed: int, seconds: float, pause: float, folder: Path) -> dict[str, Any]:
    from tools.chaos.peer import serving
    from tools.chaos.stage import stage

    faults = plan(seed, seconds)
    print(f"chaos: seed {seed}, {seconds:g} s, {len(faults)} faults", file=sys.stderr, flush=True)
    with stage(folder, seed) as theatre, serving(theatre.who) as peer:
        configure(theatre.servers["postgres"].address, theatre.servers["valkey"].address,
                   theatre.servers["temporal"].address, peer.address, folder)  # fmt: skip
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        theatre.start_workers(peer.address)
        until_all_work(len(WORKERS))
        from tools.chaos.load import Load

        load = Load(seed, peer, pause)
        load.begin()
        hits = _inject(faults, theatre, peer, seconds)
        load.start_no_more()
        load.wait(SETTLING_SECONDS)
        load.end()
        return _told(seed, seconds, hits, load, peer, theatre)


def configure(database: str, broker: str, temporal: str, peer: str, folder: Path) -> None:
    """This process is a Zen as well: it starts, decides and looks through the services."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "zen_project.settings",
        "DATABASE_URL": database,
        "CELERY_BROKER_URL": broker,
        "TEMPORAL_ADDRESS": temporal,
        "ZEN_OUTBOUND_ALLOW": peer,
        "ZEN_DATA_DIR": str(folder / "zen"),
        "ZEN_SECRET_KEY": "only-for-chaos-" * 4,
        "ZEN_LOG_LEVEL": "error",
    }
    import django

    django.setup()


def until_all_work(number: int) -> None:
    from orchestration.models import Worker

    deadline = time.monotonic() + SETTLING_SECONDS
    while Worker.objects.count() < number:
        if time.monotonic() > deadline:
            raise SystemExit(f"chaos: {Worker.objects.count()} of {number} workers came up")
        time.sleep(0.2)


def _inject(faults: tuple[Fault, ...], theatre: Any, peer: Any, seconds: float) -> list[Hit]:
    begin, hits = time.time(), list[Hit]()
    for fault in faults:
        time.sleep(max(0.0, begin + fault.at - time.time()))
        concerned = tuple(
            path.split("/")[1]
            for worker, path in peer.calls_in_flight()
            if fault.target not in WORKERS or worker == fault.target
        )
        began = time.time()
        print(f"chaos: {began - begin:6.1f} {fault.kind} {fault.target} {fault.link} {fault.seconds:g} s",
              file=sys.stderr, flush=True)  # fmt: skip
        theatre.do(fault)
        hits.append(
            Hit(kind=fault.kind, target=fault.target, link=fault.link, began=began, ended=time.time(),
                concerned=concerned)
        )  # fmt: skip
    time.sleep(max(0.0, begin + seconds - time.time()))
    return hits


def _told(seed: int, seconds: float, hits: list[Hit], load: Any, peer: Any, theatre: Any) -> dict[str, Any]:
    from foundation.audit.verify import verify

    sagas = load.seen()
    figures = {engine: judge(engine, sagas, peer.calls, hits, peer.things) for engine in ENGINES}
    report = verify()
    told = {
        "seed": seed,
        "seconds": seconds,
        "faults": faults_by_kind(hits),
        "lost_commits": sum(link.lost for link in theatre.links.values()),
        "engines": {engine: shown(found) for engine, found in figures.items()},
        "audit_whole": report.is_whole,
        "left_behind": theatre.left_behind(),
        "trouble_of_the_starter": load.trouble,
    }
    told["clean"] = (
        report.is_whole
        and not told["left_behind"]
        and all(found.is_clean() and found.started for found in figures.values())
    )
    told["recovers_in_time"] = all(found.recovers_in_time() for found in figures.values())
    print(printed(told), file=sys.stderr, flush=True)
    return told


if __name__ == "__main__":
    sys.exit(main())

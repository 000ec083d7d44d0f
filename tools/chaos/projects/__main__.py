"""`python -m tools.chaos.projects [--seed N] [--seconds S] [--engine E]`: what does not hold, and figures, as JSON.

Exit code 0: every project ended, and nothing is doubled, lost, held or left behind. 1: not. The seed that is printed
chooses the same faults again.
"""

from __future__ import annotations

import argparse
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.chaos.__main__ import configure, until_all_work
from tools.chaos.plan import ENGINES, Fault

SETTLING_SECONDS = 400.0
DISK = "96m"


def main() -> int:
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="zen-chaos-") as kept:
        folder = Path(given.logs or kept)
        folder.mkdir(parents=True, exist_ok=True)
        with small_disk(folder / "zen") as small:
            told = run(given, folder, small)
    print(json.dumps(told, indent=1), flush=True)
    return int(bool(told["problems"]))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.chaos.projects", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="of the faults and projects")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long projects are started and faults done")
    parser.add_argument("--engine", choices=ENGINES, help="one engine alone; both without")
    parser.add_argument("--most", type=int, default=300, help="projects at most")
    parser.add_argument("--pause", type=float, default=6.0, help="seconds between two starts")
    parser.add_argument("--logs", default="", help="a folder that keeps the logs of workers and servers")
    return parser.parse_args()


@contextmanager
def small_disk(place: Path) -> Iterator[bool]:
    """A file system of its own at this place, small enough to be filled; False where only a folder can be made."""
    place.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "none", str(place)]
    small = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield small
    finally:
        if small:
            subprocess.run(["umount", "-l", str(place)], check=False)


def run(given: argparse.Namespace, folder: Path, small: bool) -> dict[str, Any]:
    from tools.chaos.peer import serving
    from tools.chaos.projects.plan import plan
    from tools.chaos.projects.stage import project_stage

    engines = (given.engine,) if given.engine else ENGINES
    faults = plan(given.seed, given.seconds, engines, disk=small)
    print(f"chaos: projects, seed {given.seed}, {given.seconds:g} s, {len(faults)} faults", file=sys.stderr, flush=True)
    with project_stage(folder, given.seed, engines, folder / "zen") as theatre, serving(theatre.who) as peer:
        servers = theatre.servers
        configure(servers["postgres"].address, servers["valkey"].address, servers["temporal"].address, peer.address,
                   folder)  # fmt: skip
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        theatre.start_workers(peer.address)
        from tools.chaos.projects.load import Load

        until_all_work(len(theatre.workers))
        load = Load(given.seed, engines, given.pause, given.most)
        load.begin()
        _inject(faults, theatre, given.seconds)
        load.start_no_more()
        _settle(load)
        load.end()
        return _told(given, faults, load, theatre, folder / "zen")


def _inject(faults: tuple[Fault, ...], theatre: Any, seconds: float) -> None:
    """A fault that lasts longer than planned, such as a worker that ends its agents' sessions, delays the rest."""
    begin = time.time()
    for fault in faults:
        time.sleep(max(0.0, begin + fault.at - time.time()))
        print(f"chaos: {fault.at:6.1f} {fault.kind} {fault.target} {fault.link} {fault.seconds:g} s",
              file=sys.stderr, flush=True)  # fmt: skip
        theatre.do(fault)
        begin += max(0.0, time.time() - begin - fault.at - fault.seconds)
    time.sleep(max(0.0, begin + seconds - time.time()))


def _settle(load: Any) -> None:
    deadline = time.monotonic() + SETTLING_SECONDS
    while time.monotonic() < deadline:
        left: list[list[str]] = []
        if load.tried(lambda: left.append(load.unfinished())) and not left[0]:  # noqa: B023 - called at once
            time.sleep(2.0)
            return
        time.sleep(1.0)


def _told(given: argparse.Namespace, faults: tuple[Fault, ...], load: Any, theatre: Any, data: Path) -> dict[str, Any]:
    from foundation.audit.verify import verify
    from orchestration.models import Run
    from orchestration.projects.deployment.local.folder import folders
    from orchestration.projects.deployment.local.releases import stop_all
    from tools.chaos.projects import judge

    found = [*judge.problems(load.started), *judge.deployments(data)]
    statuses = Counter(Run.objects.filter(workflow_id__in=list(load.started)).values_list("status", flat=True))
    again = judge.doubled_sessions(load.started)
    if not verify().is_whole:
        found.append("the audit is not whole")
    for one in folders():
        stop_all(one)
    if theatre.left_behind():
        found.append(f"{theatre.left_behind()} processes of ended workers are left")
    return {
        "seed": given.seed, "faults": dict(Counter(f"{one.kind} {one.target}" for one in faults)),
        "missed": theatre.missed, "lost_commits": sum(link.lost for link in theatre.links.values()),
        "taken_back": judge.taken_back(load.started), "started": len(load.started), "statuses": dict(statuses),
        "sessions_again": again, "problems": found,
        "trouble_of_the_starter": load.trouble,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

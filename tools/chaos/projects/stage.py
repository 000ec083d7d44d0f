"""The stage of `tools.chaos` with the faults of projects."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random

from orchestration.agents.process.strays import marked
from orchestration.agents.workspace.layout import MARK, Layout
from tools.chaos.plan import WORKERS, Fault, engine_of
from tools.chaos.processes import signal_all
from tools.chaos.programs import Worker
from tools.chaos.stage import Stage

QUEUES = "default:8,agents:4"


class ProjectStage(Stage):
    """`engines`: those whose workers run. `data`: the folder of all workers."""

    def __init__(self, folder: Path, seed: int, stack: ExitStack, *, engines: tuple[str, ...], data: Path) -> None:
        super().__init__(folder, seed, stack)
        self.engines, self.data, self.random = engines, data, Random(f"{seed} targets")
        self.missed = 0

    def environment(self, worker: str, peer: str) -> dict[str, str]:
        more = {"ZEN_DATA_DIR": str(self.data), "ZEN_WORKER_QUEUES": QUEUES}
        return super().environment(worker, peer) | more

    def start_workers(self, peer: str) -> None:
        for name in (one for one in WORKERS if engine_of(one) in self.engines):
            self.workers[name] = Worker(name, self.environment(name, peer), self.folder)

    def do(self, fault: Fault) -> None:
        """The fault from its beginning to its end."""
        if fault.kind == "freeze":  # the worker alone: what it started goes on
            self._for_a_while([self.workers[fault.target].process.pid], fault.seconds)
        elif fault.kind == "locks":
            self._leave_locks()
        elif fault.kind == "full":
            self._fill(fault.seconds)
        elif fault.target in ("agent", "keeper", "deployed"):
            found = self.owned(fault.target)
            self.missed += not found
            hit = self.random.sample(found, 1) if found else []
            if fault.kind == "kill":
                signal_all(hit, signal.SIGKILL)
            else:
                self._for_a_while(hit, fault.seconds)
        else:
            super().do(fault)

    def owned(self, place: str) -> list[int]:
        """Processes of projects, of this kind."""
        if place == "deployed":
            return [pid for pid in _all() if str(self.data / "deployments") in _said(pid)]
        runs = [pid for home in _homes(self.data) for pid in marked(MARK, str(home))]
        return [pid for pid in runs if ("keeper.py" in _said(pid)) is (place == "keeper")]

    def _for_a_while(self, pids: list[int], seconds: float) -> None:
        signal_all(pids, signal.SIGSTOP)
        time.sleep(seconds)
        signal_all(pids, signal.SIGCONT)

    def _leave_locks(self) -> None:
        """As a git that was killed leaves them; only where no living git holds the lock that all of ours are under, and
        where the janitor is yet to come: nobody looks after a project that has ended."""
        from orchestration.agents.workspace import locks

        homes = [one for one in _homes(self.data) if _has_branches(one)]
        self.missed += not homes
        for home in self.random.sample(homes, 1) if homes else []:
            with suppress(locks.Busy), locks.held(home / "locks" / "references", seconds=2):
                if not _has_branches(home):
                    return
                for name in ("index.lock", "packed-refs.lock", "HEAD.lock", "refs/heads/main.lock"):
                    (home / "repository.git" / name).touch()
            for state in (home / "state").glob("*"):
                (state / "scratch.lock").touch()

    def _fill(self, seconds: float) -> None:
        """Take all that is left of the disk, for a while."""
        whole = self.data / "ballast"
        with suppress(OSError), whole.open("wb") as file:
            while True:
                file.write(b"\0" * 65536)
                file.flush()
        time.sleep(seconds)
        whole.unlink(missing_ok=True)


def _has_branches(home: Path) -> bool:
    """Whether tasks of the project have branches, which its janitor takes away under the lock of references."""
    return any(one.is_file() for one in (home / "repository.git" / "refs" / "heads" / "zen").rglob("*"))


def _homes(data: Path) -> list[Path]:
    home = data / "projects"
    return sorted(one for one in home.iterdir() if one.is_dir()) if home.is_dir() else []


def _all() -> list[int]:
    return [int(one.name) for one in Path("/proc").glob("[0-9]*") if int(one.name) != os.getpid()]


def _said(pid: int) -> str:
    """Its command line and folder."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        with suppress(OSError):
            words += str(Path(f"/proc/{pid}/cwd").readlink())
        return words
    return ""


def layouts(data: Path) -> list[Layout]:
    """Of every run that has a folder here."""
    return [Layout(workflow_id=one.name, folder=one) for one in _homes(data)]


@contextmanager
def project_stage(folder: Path, seed: int, engines: tuple[str, ...], data: Path) -> Iterator[ProjectStage]:
    """Everything is ended at the end."""
    with ExitStack() as stack:
        yield ProjectStage(folder, seed, stack, engines=engines, data=data)

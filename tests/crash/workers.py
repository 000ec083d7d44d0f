"""Real worker processes of a test, on the test's database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestration.models import Run, Worker
from orchestration.selectors import run_view

ROOT = Path(__file__).resolve().parent.parent.parent


class WorkerProcess:
    """`celery -A zen_project worker -B`, or another command of ours."""

    def __init__(self, env: dict[str, str], *command: str) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="zen-worker-")
        self.log = open(Path(self.folder.name) / "log", "w+b")  # noqa: SIM115 - closed in `stop`
        arguments = command or ("-m", "celery", "-A", "zen_project", "worker", "-B", "-l", "warning", "-c", "4",
                                "-s", f"{self.folder.name}/beat")  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=env, stdout=self.log, stderr=self.log, start_new_session=True
        )

    def kill(self) -> None:
        """kill -9 of the whole process group: nobody cleans up."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def terminate(self, seconds: float = 30) -> int:
        """SIGTERM, as from a service manager; returns the exit code."""
        self.process.terminate()
        return self.process.wait(seconds)

    def pause(self) -> None:
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.killpg(self.process.pid, signal.SIGCONT)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self.log.close()
        self.folder.cleanup()

    def output(self) -> str:
        self.log.flush()
        return Path(self.log.name).read_text(errors="replace")


@contextmanager
def worker(env: dict[str, str], *command: str, engine: str = "celery") -> Iterator[WorkerProcess]:
    """A worker that has taken its lease."""
    before = set(Worker.objects.filter(engine=engine).values_list("name", flat=True))
    started = WorkerProcess(env, *command)
    try:
        deadline = time.monotonic() + 90
        while not set(Worker.objects.filter(engine=engine).values_list("name", flat=True)) - before:
            assert started.process.poll() is None and time.monotonic() < deadline, started.output()
            time.sleep(0.1)
        yield started
    finally:
        started.stop()


def assert_the_repeat_is_told(run: Run) -> None:
    """Of step b, whose first worker was killed over it."""
    told = run.events.filter(kind="step.possibly_repeated")
    assert [(event.step_id, event.data) for event in told] == [("b", {"attempt": 1, "tries": 2})]
    steps = {step["step_id"]: step for step in run_view(run)["steps"]}
    assert steps["b"]["possibly_repeated"] == 2 and "possibly_repeated" not in steps["a"]

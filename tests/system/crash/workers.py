"""Real worker processes of a test, on the test's database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestration.models import Run, Worker
from orchestration.runs.queries import run_view
from tests.support.waiting import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[3]


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
        self.process.wait(PATIENCE_SECONDS)

    def terminate(self) -> int:
        """SIGTERM, as from a service manager; returns the exit code."""
        self.ask_to_stop()
        return self.wait()

    def ask_to_stop(self) -> None:
        self.process.terminate()

    def wait(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def until_it_says(self, words: str) -> None:
        wait_until(lambda: words in self.output(), lambda: f"'{words}' in {self.output()}")

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

        def has_its_lease() -> bool:
            assert started.process.poll() is None, started.output()
            return bool(set(Worker.objects.filter(engine=engine).values_list("name", flat=True)) - before)

        wait_until(has_its_lease, started.output)
        yield started
    finally:
        started.stop()


def assert_the_repeat_is_told(run: Run) -> None:
    """Of step b, whose first worker was killed over it."""
    told = run.events.filter(kind="step.possibly_repeated")
    assert [(event.step_id, event.data) for event in told] == [("b", {"attempt": 1, "tries": 2})]
    steps = {step["step_id"]: step for step in run_view(run)["steps"]}
    assert steps["b"]["possibly_repeated"] == 2 and "possibly_repeated" not in steps["a"]

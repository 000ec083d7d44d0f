"""`make test`: everything on SQLite, then what is marked `both_databases` again on PostgreSQL, and the sum of both.

The second half runs whatever became of the first. Arguments go to pytest and then there is one run only:
make test ARGS="-k sweep -x"
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.support.servers import report, time_skipping
from zen_project.embedded import postgres

PASSED, FAILED, NOTHING_COLLECTED = 0, 1, 5
PYTEST = [sys.executable, "-m", "pytest"]
PROCESSES = 2 * (os.cpu_count() or 1)  # two a core: much of the time a test waits for what it has started
SIDE_BY_SIDE = [*PYTEST, "-n", str(PROCESSES), "--dist", "loadfile", "--no-loadscope-reorder"]  # in conftest's order


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """What a run of pytest came to. `failed` counts errors too, and the run itself if it broke off."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Half) -> Half:
        return Half(
            passed=self.passed + other.passed,
            failed=self.failed + other.failed,
            skipped=self.skipped + other.skipped,
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def main(arguments: list[str]) -> int:
    if arguments:
        return subprocess.run([*PYTEST, *arguments], check=False).returncode
    with contextlib.suppress(time_skipping.Missing):
        time_skipping.program()  # fetched here, so that no test's time limit pays for it
    print("Servers in this run:", *report.lines(), sep="\n  ", flush=True)
    on_sqlite = half()
    on_postgres = half_on_postgres()
    print(f"== SQLite: {on_sqlite}\n== PostgreSQL: {on_postgres}\n== {on_sqlite + on_postgres}", flush=True)
    return int((on_sqlite + on_postgres).failed > 0)


def half_on_postgres() -> Half:
    found = postgres.available()
    if found.path is None and "ZEN_TEST_POSTGRES_URL" not in os.environ:
        print(f"NOT RUN on PostgreSQL: {found.how}")
        return Half(failed=int(os.environ.get("CI") == "true"))
    print("== again on PostgreSQL", flush=True)
    return half("-m", "both_databases", ZEN_TEST_DATABASE="postgres")


def half(*arguments: str, **environ: str) -> Half:
    with tempfile.TemporaryDirectory(prefix="zen-test-report-") as folder:
        report_file = Path(folder) / "report.xml"
        command = [*SIDE_BY_SIDE, f"--junitxml={report_file}", *arguments]
        code = subprocess.run(command, env=os.environ | environ, check=False).returncode
        return counted(report_file, code)


def counted(report_file: Path, code: int) -> Half:
    """From pytest's report in JUnit's format and its exit code; a run without a whole report has failed."""
    try:
        suites = list(ElementTree.parse(report_file).getroot().iter("testsuite"))  # noqa: S314 - pytest wrote it
    except (OSError, ElementTree.ParseError):
        print(f"\n== this half broke off: pytest ended with {code}, without a report", flush=True)
        return Half(failed=1)
    tests, failures, errors, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    broke_off = code not in (PASSED, NOTHING_COLLECTED) and not (code == FAILED and failed)
    return Half(passed=max(0, tests - failed - skipped), failed=failed + broke_off, skipped=skipped)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
